package main

import (
	"os"
	"slices"
	"testing"
)

// TestPristine: what may be given back is the program's own, cannot be written to, and has never been.
func TestPristine(t *testing.T) {
	const smaps = `00400000-00df8000 r-xp 00000000 fe:00 1234                               /opt/my programs/gramme
Size:              10208 kB
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd ex mr mw me sd
00df8000-018c4000 r--p 009f8000 fe:00 1234                               /opt/my programs/gramme
Size:              11056 kB
Anonymous:             0 kB
Swap:                  0 kB
018c4000-018c8000 r--p 014c4000 fe:00 1234                               /opt/my programs/gramme
Anonymous:            16 kB
Swap:                  0 kB
018c8000-018d0000 r--p 014c8000 fe:00 1234                               /opt/my programs/gramme
Anonymous:             0 kB
Swap:                  4 kB
018d0000-018d1000 r--p 014d0000 fe:00 1234                               /opt/my programs/gramme
Rss:                   0 kB
Anonymous:             0 kB
018d1000-01973000 rw-p 014d0000 fe:00 1234                               /opt/my programs/gramme
Anonymous:             0 kB
Swap:                  0 kB
01973000-039e3000 rw-p 00000000 00:00 0
Anonymous:           260 kB
7f0000000000-7f0000100000 r-xp 00000000 fe:00 99                         /lib/libc.so.6
Anonymous:             0 kB
7f0000100000-7f0000200000 r--s 00000000 fe:00 1234                       /opt/my programs/gramme
Anonymous:             0 kB
7ffff0000000-7ffff0002000 r-xp 00000000 00:00 0                          [vdso]
Anonymous:             0 kB
`
	want := []mapping{{0x400000, 0xdf8000}, {0xdf8000, 0x18c4000}}
	if got := pristine(smaps, "/opt/my programs/gramme"); !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

// TestReleaseProgram: there is something to give back, and the program goes on without it.
func TestReleaseProgram(t *testing.T) {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	if len(pristine(string(smaps), program)) == 0 {
		t.Errorf("nothing of %s is found in\n%s", program, smaps)
	}
	if err := releaseProgram(); err != nil {
		t.Fatal(err)
	}
}
