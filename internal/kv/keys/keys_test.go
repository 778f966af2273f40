package keys

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
)

func TestPartitionHash(t *testing.T) {
	row := AppendPartition(AppendSpace(nil, 3, 0), []byte("abc"))
	part := []byte("\x03abc")
	if got, want := Hash(row), uint16(xxhash.Sum64(part)>>48); got != want {
		t.Errorf("Hash = %04x, want %04x", got, want)
	}
	if !bytes.HasSuffix(row, part) || len(row) != spaceLen+2+len(part) {
		t.Errorf("row %x does not end in its partition part", row)
	}
}

func TestPartitionsAreDistinct(t *testing.T) {
	lists := [][]string{{}, {""}, {"", ""}, {"a"}, {"a", ""}, {"", "a"}, {"ab"}, {"a", "b"}, {"\x01a"}, {strings.Repeat("a", 300)}}
	seen := map[string][]string{}
	for _, list := range lists {
		var attrs [][]byte
		for _, s := range list {
			attrs = append(attrs, []byte(s))
		}
		k := string(AppendPartition(nil, attrs...))
		if other, ok := seen[k]; ok {
			t.Errorf("%q and %q have the same key", list, other)
		}
		seen[k] = list
	}
}

func TestAppendsKeepWhatIsThere(t *testing.T) {
	a := []byte("a")
	appends := map[string]func([]byte) []byte{
		"AppendSpace":      func(d []byte) []byte { return AppendSpace(d, 1, 2) },
		"AppendTable":      func(d []byte) []byte { return AppendTable(d, 1) },
		"AppendPartition":  func(d []byte) []byte { return AppendPartition(d, a) },
		"AppendSort":       func(d []byte) []byte { return AppendSort(d, a) },
		"AppendSortPrefix": func(d []byte) []byte { return AppendSortPrefix(d, a) },
		"AppendTableKey":   func(d []byte) []byte { return AppendTableKey(d, a, a) },
		"AppendCounter":    func(d []byte) []byte { return AppendCounter(d, 1, 2, Items) },
		"AppendLog":        func(d []byte) []byte { return AppendLog(d, 1, 2) },
		"AppendExpiry":     func(d []byte) []byte { return AppendExpiry(d, 2, 3, AppendPartition(AppendSpace(nil, 1, 0), a)) },
		"AppendExpiryRow": func(d []byte) []byte {
			return AppendExpiryRow(d, AppendExpiry(nil, 2, 3, AppendPartition(AppendSpace(nil, 1, 0), a)))
		},
	}
	for name, f := range appends {
		if got, want := f([]byte("before")), "before"+string(f(nil)); string(got) != want {
			t.Errorf("%s after a prefix = %q, want %q", name, got, want)
		}
	}
}

func TestAppendsDoNotAllocate(t *testing.T) {
	buf, pk, sk := make([]byte, 0, 256), []byte("partition"), []byte("sort")
	allocs := testing.AllocsPerRun(100, func() {
		row := append(AppendPartition(AppendSpace(buf, 1, 0), pk), sk...)
		AppendTableKey(AppendSort(AppendPartition(AppendSpace(row[:0], 1, 1), sk), pk), pk, sk)
		AppendCounter(buf, 1, 0, Collection, pk)
		AppendLog(buf, 1, 2)
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want 0", allocs)
	}
}

func TestExpiry(t *testing.T) {
	inRange := func(key []byte, lo, hi []byte) bool { return bytes.Compare(lo, key) <= 0 && bytes.Compare(key, hi) < 0 }
	row := append(AppendPartition(AppendSpace(nil, 7, 0), []byte("artist")), 0, 0xff)
	for _, at := range []int64{0, 1, 1767225600, 1 << 40} {
		entry := AppendExpiry(nil, 3, at, row)
		if got := ExpiryTime(entry); got != at {
			t.Errorf("time %d, want %d", got, at)
		}
		if got := AppendExpiryRow(nil, entry); !bytes.Equal(got, row) {
			t.Errorf("row %x, want %x", got, row)
		}
		for _, c := range []struct {
			from, to int64
			want     bool
		}{{at, at + 1, true}, {0, at + 1, true}, {at + 1, at + 2, false}, {0, at, false}} {
			if lo, hi := Expiry(7, 3, c.from, c.to); inRange(entry, lo, hi) != c.want {
				t.Errorf("%d in %d..%d: %v, want %v", at, c.from, c.to, !c.want, c.want)
			}
		}
		all := func(lo, hi []byte) bool { return inRange(entry, lo, hi) }
		if !all(Expiries(7)) || all(Expiries(8)) || !all(NumberedExpiries(7, 3)) || all(NumberedExpiries(7, 2)) {
			t.Errorf("%x is not where it should be", entry)
		}
	}
}

func TestNext(t *testing.T) {
	for _, c := range []struct{ prefix, want string }{
		{"a", "b"}, {"a\xff", "b"}, {"a\x00", "a\x01"}, {"\xfe\xff\xff", "\xff"}, {"", ""}, {"\xff\xff", ""},
	} {
		prefix := []byte(c.prefix)
		got := Next(prefix)
		if string(got) != c.want || (got == nil) != (c.want == "") {
			t.Errorf("Next(%q) = %q, want %q", c.prefix, got, c.want)
		}
		if string(prefix) != c.prefix {
			t.Errorf("Next changed its argument %q to %q", c.prefix, prefix)
		}
	}
}

// TestSegments checks that the segments of every total are adjacent, cover the space, and hold the hashes that they should.
func TestSegments(t *testing.T) {
	for _, total := range []int{1, 2, 3, 7, 64, 1000, 65535, 65536, 65537, 1000000} {
		at := AppendSpace(nil, 5, 1)
		for s := range total {
			lo, hi := Segment(5, 1, s, total)
			if s == 0 {
				lo = lo[:len(at)] // nothing is between the space's prefix and hash 0
			}
			if !bytes.Equal(lo, at) {
				t.Fatalf("segment %d of %d begins at %x, the one before ended at %x", s, total, lo, at)
			}
			at = hi
		}
		if want := Next(AppendSpace(nil, 5, 1)); !bytes.Equal(at, want) {
			t.Fatalf("the last of %d segments ends at %x, want %x", total, at, want)
		}
	}
}

func TestSegmentOfEachHash(t *testing.T) {
	totals := []int{1, 2, 3, 10, 4096, 65536, 1000000}
	for hash := 0; hash < 1<<16; hash += 1 + rand.IntN(40) {
		row := append(AppendSpace(nil, 5, 0), byte(hash>>8), byte(hash), 'x')
		for _, total := range totals {
			s := hash * total >> 16
			lo, hi := Segment(5, 0, s, total)
			if bytes.Compare(lo, row) > 0 || bytes.Compare(row, hi) >= 0 {
				t.Fatalf("hash %d is not in segment %d of %d: %x .. %x", hash, s, total, lo, hi)
			}
		}
	}
}

func TestRangesHoldTheirKeysOnly(t *testing.T) {
	lo, hi := Definitions()
	inside(t, lo, hi, Definition("0", "r", "T"), Definition("\xff", "\xff", "\xff"))
	outside(t, lo, hi, Token("0", "r", "T"), AppendSpace(nil, 0, 0))
	lo, hi = Tokens()
	inside(t, lo, hi, Token("0", "r", ""), Token("\xff", "\xff", "\xff"))
	outside(t, lo, hi, Definition("0", "r", "T"), AppendCounter(nil, 0, 0, Items))
	lo, hi = Counters(7)
	inside(t, lo, hi, AppendCounter(nil, 7, 0, Items), AppendCounter(nil, 7, 65535, Collection, []byte("\xff\xff")))
	outside(t, lo, hi, AppendCounter(nil, 6, 65535, 255), AppendCounter(nil, 8, 0, 0), AppendTable(nil, 7))
	lo, hi = Jobs("purge/")
	inside(t, lo, hi, Job("purge/"), Job("purge/\xff"))
	outside(t, lo, hi, Job("purge"), Job("purge0"), Sequence("purge/1"))
	lo, hi = Log(7)
	inside(t, lo, hi, AppendLog(nil, 7, 0), AppendLog(nil, 7, 1<<64-1))
	outside(t, lo, hi, AppendLog(nil, 6, 1<<64-1), AppendLog(nil, 8, 0), LogHead(7))
}

func inside(t *testing.T, lo, hi []byte, ks ...[]byte) {
	t.Helper()
	for _, k := range ks {
		if bytes.Compare(k, lo) < 0 || bytes.Compare(k, hi) >= 0 {
			t.Errorf("%x is not in %x .. %x", k, lo, hi)
		}
	}
}

func outside(t *testing.T, lo, hi []byte, ks ...[]byte) {
	t.Helper()
	for _, k := range ks {
		if bytes.Compare(k, lo) >= 0 && bytes.Compare(k, hi) < 0 {
			t.Errorf("%x is in %x .. %x", k, lo, hi)
		}
	}
}

func TestSpace(t *testing.T) {
	space := AppendSpace(nil, 7, 2)
	if got := Space(AppendPartition(space, []byte("p"))); !bytes.Equal(got, space) {
		t.Errorf("Space = %x, want %x", got, space)
	}
	if got := Space(AppendTable(nil, 7)); got != nil {
		t.Errorf("Space of a table's prefix = %x, want nil", got)
	}
}

func TestCollectionOf(t *testing.T) {
	for _, pk := range []string{"", "p", "\x00\xff", strings.Repeat("x", 300)} {
		prefix := AppendPartition(AppendSpace(nil, 7, 2), []byte(pk))
		for _, sk := range []string{"", "s", "\x00", "\xff\xff"} {
			if got := CollectionOf(append(bytes.Clone(prefix), sk...)); !bytes.Equal(got, prefix) {
				t.Errorf("CollectionOf %q, %q = %x, want %x", pk, sk, got, prefix)
			}
		}
	}
	row := AppendPartition(AppendSpace(nil, 7, 0), []byte("artist"))
	for n := range len(row) {
		if got := CollectionOf(row[:n]); got != nil {
			t.Errorf("CollectionOf %x = %x, want nil", row[:n], got)
		}
	}
	endless := append(AppendSpace(nil, 7, 0), 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	for _, other := range [][]byte{
		AppendCounter(nil, 7, 0, Collection, []byte("artist")), AppendLog(nil, 7, 1), AppendExpiry(nil, 3, 1, row), Definition("0", "r", "T"), endless,
	} {
		if got := CollectionOf(other); got != nil {
			t.Errorf("CollectionOf %x = %x, want nil", other, got)
		}
	}
}

// FuzzCollection checks that a collection is a prefix that depends on nothing behind it.
func FuzzCollectionOf(f *testing.F) {
	f.Add(AppendPartition(AppendSpace(nil, 1, 0), []byte("p")), []byte("s"))
	f.Add([]byte{kindRow, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, []byte{})
	f.Fuzz(func(t *testing.T, key, tail []byte) {
		c := CollectionOf(key)
		if c == nil {
			return
		}
		if !bytes.HasPrefix(key, c) {
			t.Fatalf("collection %x of %x is no prefix", c, key)
		}
		if got := CollectionOf(append(bytes.Clone(c), tail...)); !bytes.Equal(got, c) {
			t.Errorf("%x is in collection %x, but with %x behind it in %x", c, c, tail, got)
		}
	})
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		prefix, lo, hi string
		want           bool
	}{
		{"ab", "ab", "ac", true}, {"ab", "abc", "ac", true}, {"ab", "ab", "abz", true}, {"ab", "abx", "aby", true},
		{"ab", "aa", "ac", false}, {"ab", "ab", "ad", false}, {"ab", "ab", "b", false}, {"ab", "ab", "acc", false}, {"ab", "ab", "", false},
		{"a\xff", "a\xff", "b", true}, {"a\xffb", "a\xffb", "b", false}, {"a\xff", "a\xff", "b\x00", false}, {"a\xff\xff", "a\xff\xff1", "b", true},
		{"\xff", "\xff", "\x00", false}, {"\xff", "\xff", "\xff\xff", true}, {"\xff", "\xff", "", false}, {"", "a", "b", true},
	} {
		if got := Within([]byte(c.prefix), []byte(c.lo), []byte(c.hi)); got != c.want {
			t.Errorf("Within(%q, %q, %q) = %v, want %v", c.prefix, c.lo, c.hi, got, c.want)
		}
	}
}

func TestLogPos(t *testing.T) {
	for _, pos := range []uint64{0, 1, 1 << 40, 1<<64 - 1} {
		if got := LogPos(AppendLog(nil, 3, pos)); got != pos {
			t.Errorf("LogPos = %d, want %d", got, pos)
		}
	}
}

func FuzzSortOrder(f *testing.F) {
	for _, s := range []string{"", "a", "a\x00", "a\x00\x01", "a\x00\xff", "\x00", "\xff", "\x00\xff\x01"} {
		f.Add([]byte(s), []byte("a"), []byte("tail"))
	}
	f.Fuzz(func(t *testing.T, a, b, tail []byte) {
		// What follows in the key must not change the order of unequal attributes.
		ka := append(AppendSort(nil, a), tail...)
		kb := AppendSort(nil, b)
		if want := bytes.Compare(a, b); want != 0 && bytes.Compare(ka, kb) != want {
			t.Errorf("%x, %x: keys %x, %x are in the wrong order", a, b, ka, kb)
		}
		if got, want := bytes.HasPrefix(AppendSort(nil, a), AppendSortPrefix(nil, b)), bytes.HasPrefix(a, b); got != want {
			t.Errorf("%x begins with %x: %v, but their keys: %v", a, b, want, got)
		}
	})
}

func FuzzIndexEntriesAreDistinct(f *testing.F) {
	f.Add([]byte("a"), []byte("b"), []byte("c"), []byte("a"), []byte("bc"), []byte(""))
	f.Add([]byte("a\x00"), []byte("\x01"), []byte("c"), []byte("a"), []byte("\x00\x01"), []byte("c"))
	f.Fuzz(func(t *testing.T, sort1, pk1, sk1, sort2, pk2, sk2 []byte) {
		same := bytes.Equal(sort1, sort2) && bytes.Equal(pk1, pk2) && bytes.Equal(sk1, sk2)
		k1 := AppendTableKey(AppendSort(nil, sort1), pk1, sk1)
		k2 := AppendTableKey(AppendSort(nil, sort2), pk2, sk2)
		if bytes.Equal(k1, k2) != same {
			t.Errorf("entries (%x, %x, %x) and (%x, %x, %x): keys %x and %x", sort1, pk1, sk1, sort2, pk2, sk2, k1, k2)
		}
	})
}

func FuzzRowsOfAPartitionAreTogether(f *testing.F) {
	f.Add([]byte("p"), []byte("s"), []byte("q"), []byte(""))
	f.Fuzz(func(t *testing.T, p1, s1, p2, s2 []byte) {
		prefix := AppendPartition(AppendSpace(nil, 1, 0), p1)
		row1 := append(bytes.Clone(prefix), s1...)
		row2 := append(AppendPartition(AppendSpace(nil, 1, 0), p2), s2...)
		if !bytes.HasPrefix(row1, prefix) || bytes.HasPrefix(row2, prefix) != bytes.Equal(p1, p2) {
			t.Errorf("partition %x, row of %x: %x has prefix %x wrongly", p1, p2, row2, prefix)
		}
		total := 1 + len(p2)
		lo, hi := Segment(1, 0, int(Hash(row1))*total>>16, total)
		inside(t, lo, hi, row1)
		if bytes.Equal(p1, p2) && bytes.Compare(row1, row2) != bytes.Compare(s1, s2) {
			t.Errorf("sort keys %x, %x: rows %x, %x are in the wrong order", s1, s2, row1, row2)
		}
	})
}
