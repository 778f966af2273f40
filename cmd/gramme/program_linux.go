package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// releaseProgram gives the pages of the program itself back: its code, constants and tables. The start touches nearly all of them,
// because the system maps 64 KiB around each page that is touched, and a server that has nothing to do needs few. They stay in the
// system's cache of files, and what is needed again is mapped again when it is touched.
func releaseProgram() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return err
	}
	for _, m := range pristine(string(smaps), program) {
		if _, _, errno := syscall.Syscall(syscall.SYS_MADVISE, m.start, m.end-m.start, syscall.MADV_DONTNEED); errno != 0 {
			return errno
		}
	}
	return nil
}

// A mapping is a range of addresses at which a file is.
type mapping struct{ start, end uintptr }

// pristine returns where the file is mapped read-only with nothing in memory but what is in the file: the loader may have written to
// a range before it was made read-only (relocations), or a debugger may have, and that would be lost. Smaps is the text of
// /proc/self/smaps: a line for each mapping, followed by its counters.
func pristine(smaps, file string) (found []mapping) {
	ours := false // the last of found is the one whose counters are being read
	for line := range strings.Lines(smaps) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		counter, isCounter := strings.CutSuffix(f[0], ":")
		switch {
		case !isCounter:
			m, ok := readOnly(f, line, file)
			if ours = ok; ok {
				found = append(found, m)
			}
		case ours && ((counter == "Anonymous" || counter == "Swap") && f[1] != "0" || counter == "Rss" && f[1] == "0"): // an emulator says 0 of all
			found, ours = found[:len(found)-1], false
		}
	}
	return found
}

// readOnly returns the mapping of a line, which has been divided into its fields, if the file is mapped there and cannot be written to:
//
//	00400000-00df8000 r-xp 00000000 fe:00 1234    /usr/bin/gramme
func readOnly(fields []string, line, file string) (m mapping, ok bool) {
	if len(fields) < 6 || fields[1] != "r-xp" && fields[1] != "r--p" || !strings.HasSuffix(strings.TrimSuffix(line, "\n"), " "+file) {
		return m, false
	}
	from, to, _ := strings.Cut(fields[0], "-")
	start, err := strconv.ParseUint(from, 16, strconv.IntSize)
	if err != nil {
		return m, false
	}
	end, err := strconv.ParseUint(to, 16, strconv.IntSize)
	return mapping{uintptr(start), uintptr(end)}, err == nil
}
