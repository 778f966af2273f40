package keys

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// golden lists one key or range of every sort. Their bytes are the format of every store there is: a line of the file may be
// added but never changed.
func golden() []string {
	var lines []string
	key := func(call string, k []byte) {
		lines = append(lines, fmt.Sprintf("%s = %x", call, k))
	}
	span := func(call string, r func() (lo, hi []byte)) {
		lo, hi := r()
		lines = append(lines, fmt.Sprintf("%s = %x .. %x", call, lo, hi))
	}
	pk, sk, zeros := []byte("artist"), []byte("song"), []byte{'a', 0, 'b', 0, 0xff}

	key("Definition 000000000000 us-east-1 Music", Definition("000000000000", "us-east-1", "Music"))
	span("Definitions", Definitions)
	key("Space 7 0", AppendSpace(nil, 7, 0))
	key("Space max 20", AppendSpace(nil, 1<<64-1, 20))
	key("Table 7", AppendTable(nil, 7))
	key("row 7 pk=artist", AppendPartition(AppendSpace(nil, 7, 0), pk))
	key("row 7 pk=artist sk=song", append(AppendPartition(AppendSpace(nil, 7, 0), pk), sk...))
	key("row 7 pk of 200 bytes", AppendPartition(AppendSpace(nil, 7, 0), []byte(strings.Repeat("x", 200))))
	key("index 7/2 of artist and song", AppendPartition(AppendSpace(nil, 7, 2), pk, sk))
	key("index 7/2 entry", AppendTableKey(AppendSort(AppendPartition(AppendSpace(nil, 7, 2), pk), zeros), pk, sk))
	key("index 7/2 entry of two sorts", AppendTableKey(AppendSort(AppendSort(AppendPartition(AppendSpace(nil, 7, 2), pk), sk), nil), pk, nil))
	key("index 7/2 sort prefix", AppendSortPrefix(AppendPartition(AppendSpace(nil, 7, 2), pk), zeros))
	key("Sort empty", AppendSort(nil, nil))
	key("Sort zeros", AppendSort(nil, zeros))
	key("SortPrefix zeros", AppendSortPrefix(nil, zeros))
	key("TableKey artist", AppendTableKey(nil, pk, nil))
	key("TableKey artist song", AppendTableKey(nil, pk, sk))
	span("Segment 7 0 0/1", func() ([]byte, []byte) { return Segment(7, 0, 0, 1) })
	span("Segment 7 0 1/3", func() ([]byte, []byte) { return Segment(7, 0, 1, 3) })
	span("Segment 7 2 2/3", func() ([]byte, []byte) { return Segment(7, 2, 2, 3) })
	key("Token 000000000000 us-east-1 abc", Token("000000000000", "us-east-1", "abc"))
	span("Tokens", Tokens)
	key("Counter 7 0 items", AppendCounter(nil, 7, 0, Items))
	key("Counter 7 1 bytes", AppendCounter(nil, 7, 1, Bytes))
	key("Counter 7 0 collection artist", AppendCounter(nil, 7, 0, Collection, pk))
	span("Counters 7", func() ([]byte, []byte) { return Counters(7) })
	key("Job purge/7", Job("purge/7"))
	span("Jobs purge/", func() ([]byte, []byte) { return Jobs("purge/") })
	span("Jobs all", func() ([]byte, []byte) { return Jobs("") })
	key("Log 9 258", AppendLog(nil, 9, 258))
	span("Log 9", func() ([]byte, []byte) { return Log(9) })
	span("Logs", Logs)
	key("LogHead 9", LogHead(9))
	key("Sequence tables", Sequence("tables"))
	key("Meta secret", Meta("secret"))
	key("Retired 7", Retired(7))
	span("AllRetired", AllRetired)
	key("LogSize 9", LogSize(9))
	key("Hold 7 backup", Hold(7, "backup"))
	key("Expiry 7/3 of artist and song at 1767225600", AppendExpiry(nil, 3, 1767225600, append(AppendPartition(AppendSpace(nil, 7, 0), pk), sk...)))
	span("Expiry 7/3 from 1609459200 to 1767225600", func() ([]byte, []byte) { return Expiry(7, 3, 1609459200, 1767225600) })
	span("Expiries 7", func() ([]byte, []byte) { return Expiries(7) })
	span("NumberedExpiries 7/3", func() ([]byte, []byte) { return NumberedExpiries(7, 3) })
	key("CollectionOf row 7 pk=artist sk=song", CollectionOf(append(AppendPartition(AppendSpace(nil, 7, 0), pk), sk...)))
	key("CollectionOf index 7/2 entry of artist and song", CollectionOf(AppendTableKey(AppendPartition(AppendSpace(nil, 7, 2), pk, sk), pk, sk)))
	return lines
}

func TestGolden(t *testing.T) {
	const file = "testdata/keys.golden"
	got := strings.Join(golden(), "\n") + "\n"
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("keys differ from those of existing stores (%s):\ngot\n%s\nwant\n%s", file, got, want)
	}
}
