package pebblekv

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// cgroupLimit returns the memory limit of the process's control group or of one that holds it, 0 if there is none. Root is
// the root of the file system; where there are no control groups their files are missing.
func cgroupLimit(root fs.FS) int64 {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	var limit int64
	for line := range strings.Lines(string(groups)) {
		// hierarchy:controllers:path, the hierarchy of version 2 being 0 and without controllers
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(f) != 3:
		case f[0] == "0" && f[1] == "":
			limit = smaller(limit, groupLimit(root, "sys/fs/cgroup", f[2], "memory.max"))
		case strings.Contains(","+f[1]+",", ",memory,"):
			limit = smaller(limit, groupLimit(root, "sys/fs/cgroup/memory", f[2], "memory.limit_in_bytes"))
		}
	}
	return limit
}

// groupLimit returns the smallest limit of a group and those above it. In a container the group's path is often that of the host
// while only the container's own group is mounted, at the root: so what is missing is passed over.
func groupLimit(root fs.FS, mount, group, file string) int64 {
	var limit int64
	for dir := path.Join("/", group); ; dir = path.Dir(dir) {
		if b, err := fs.ReadFile(root, path.Join(mount, dir, file)); err == nil {
			limit = smaller(limit, parseLimit(string(b)))
		}
		if dir == "/" {
			return limit
		}
	}
}

// parseLimit returns the limit that a file states: 0 for "max", and for the page-rounded greatest integer that stands for it
// in version 1.
func parseLimit(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || n >= 1<<62 {
		return 0
	}
	return n
}

// smaller returns the smaller of two limits, 0 being none.
func smaller(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
