package kvtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
)

var updateTests = []test{
	{"PutGetDelete", testPutGetDelete},
	{"EmptyValueIsAValue", testEmptyValue},
	{"KeysOfAnyBytes", testAnyBytes},
	{"LargeValues", testLargeValues},
	{"ValuesComeInTheOrderOfKeys", testValueOrder},
	{"DeletesBeforePutsBeforeAdds", testBatchOrder},
	{"NothingPassedInIsKept", testNothingKept},
	{"BlindWrites", testBlindWrites},
	{"BatchIsEmptyAtEachCall", testBatchEmpty},
	{"ErrorOfFIsReturnedAsItIs", testErrorOfF},
	{"PanicInFReleasesEverything", testPanicInF},
	{"EmptyBatchSucceeds", testEmptyBatch},
	{"ManyKeys", testManyKeys},
	{"TooLarge", testTooLarge},
	{"NoSyncIsVisible", testNoSync},
	{"CanceledContextAppliesNothing", testCanceled},
	{"CanceledWhileWaitingAppliesNothing", testCanceledWaiting},
	{"DeleteRange", testDeleteRange},
	{"PreSplitChangesNothing", testPreSplit},
}

func testPutGetDelete(t *testing.T, e kv.Engine) {
	k := row("a")
	wantNone(t, e, k)
	put(t, e, k, "1")
	wantVal(t, e, k, "1")
	put(t, e, k, "2")
	wantVal(t, e, k, "2")
	del(t, e, k)
	wantNone(t, e, k)
	del(t, e, k)
	put(t, e, k, "3")
	wantVal(t, e, k, "3")
}

func testEmptyValue(t *testing.T, e kv.Engine) {
	k := row("a")
	put(t, e, k, "")
	wantVal(t, e, k, "")
	update(t, e, one(k), func(vals [][]byte, _ *kv.Batch) error {
		if vals[0] == nil || len(vals[0]) != 0 {
			return fmt.Errorf("an empty value was read as %v", vals[0])
		}
		return nil
	})
	if got := scan(t, e, rows()); len(got) != 1 {
		t.Errorf("scan returned %d pairs, want 1", len(got))
	}
}

func testAnyBytes(t *testing.T, e kv.Engine) {
	names := []string{"", "\x00", "\x00\x00", "\xff", "\xff\xff", "a\x00b", "\x01\xfe"}
	for i, n := range names {
		put(t, e, row(n), fmt.Sprint(i))
	}
	for i, n := range names {
		wantVal(t, e, row(n), fmt.Sprint(i))
	}
}

func testLargeValues(t *testing.T, e kv.Engine) {
	var vals []string
	for i := range 5 {
		v := bytes.Repeat([]byte{byte('a' + i)}, 400<<10-i)
		vals = append(vals, string(v))
		put(t, e, row(fmt.Sprint(i)), vals[i])
	}
	for i, v := range vals {
		if got := get(t, e, row(fmt.Sprint(i))); string(got) != v {
			t.Errorf("value %d of %d bytes came back as %d other bytes", i, len(v), len(got))
		}
	}
}

func testValueOrder(t *testing.T, e kv.Engine) {
	put(t, e, row("a"), "va")
	put(t, e, row("c"), "vc")
	update(t, e, one(row("c"), row("b"), row("a")), func(vals [][]byte, _ *kv.Batch) error {
		if len(vals) != 3 || string(vals[0]) != "vc" || vals[1] != nil || string(vals[2]) != "va" {
			return fmt.Errorf("values of c, b, a are %q", vals)
		}
		return nil
	})
}

func testBatchOrder(t *testing.T, e kv.Engine) {
	a, b := row("a"), row("b")
	put(t, e, a, "old")
	update(t, e, one(a), write(func(x *kv.Batch) {
		x.Put(a, []byte("new"))
		x.Delete(a)
		x.Add(b, 3)
		x.Delete(b)
		x.Put(b, []byte{0, 0, 0, 0, 0, 0, 0, 10})
	}))
	wantVal(t, e, a, "new")
	if got := kv.Counter(get(t, e, b)); got != 13 {
		t.Errorf("counter put as 10 and raised by 3 is %d", got)
	}
}

func testNothingKept(t *testing.T, e kv.Engine) {
	key, val, def := row("a"), []byte("value"), definition("T")
	x := kv.Txn{Keys: [][]byte{key}, Claim: true, Fence: []kv.Fence{{Key: def}}}
	data := []byte("record")
	update(t, e, x, write(func(b *kv.Batch) {
		b.Put(key, val)
		b.Append(1, data)
	}))
	clear(key)
	clear(val)
	clear(def)
	clear(data)
	wantVal(t, e, row("a"), "value")
	put(t, e, row("a"), "again") // no claim is left
	wantData(t, tail(t, e, 1, 0, 10), "record")
}

func testBlindWrites(t *testing.T, e kv.Engine) {
	put(t, e, row("gone"), "x")
	update(t, e, one(row("a")), write(func(b *kv.Batch) {
		b.Put(row("blind"), []byte("1"))
		b.Delete(row("gone"))
	}))
	wantVal(t, e, row("blind"), "1")
	wantNone(t, e, row("gone"))
	update(t, e, kv.Txn{}, write(func(b *kv.Batch) { b.Put(row("no keys"), []byte("2")) }))
	wantVal(t, e, row("no keys"), "2")
}

func testBatchEmpty(t *testing.T, e kv.Engine) {
	for range 3 {
		update(t, e, one(row("a")), func(_ [][]byte, b *kv.Batch) error {
			if !b.Empty() {
				return fmt.Errorf("the batch holds %v", b)
			}
			b.Put(row("a"), []byte("1"))
			b.Add(row("n"), 1)
			b.Append(1, []byte("r"))
			b.Delete(row("b"))
			return nil
		})
	}
}

func testErrorOfF(t *testing.T, e kv.Engine) {
	put(t, e, row("a"), "old")
	mine := errors.New("condition failed")
	err := e.Update(t.Context(), one(row("a")), func(_ [][]byte, b *kv.Batch) error {
		b.Put(row("a"), []byte("new"))
		b.Append(1, []byte("r"))
		b.Add(row("n"), 1)
		return mine
	})
	if err != mine {
		t.Errorf("Update returned %v, want f's own error", err)
	}
	wantVal(t, e, row("a"), "old")
	wantNone(t, e, row("n"))
	if recs := tail(t, e, 1, 0, 10); len(recs) != 0 {
		t.Errorf("the log holds %d records", len(recs))
	}
	put(t, e, row("a"), "next")
}

func testPanicInF(t *testing.T, e kv.Engine) {
	x := kv.Txn{Keys: [][]byte{row("a")}, Claim: true, Define: [][]byte{row("a")}}
	func() {
		defer func() {
			if r := recover(); r != "oops" {
				t.Errorf("recovered %v", r)
			}
		}()
		_ = e.Update(t.Context(), x, func([][]byte, *kv.Batch) error { panic("oops") })
	}()
	update(t, e, x, write(func(b *kv.Batch) { b.Put(row("a"), []byte("1")) }))
	wantVal(t, e, row("a"), "1")
}

func testEmptyBatch(t *testing.T, e kv.Engine) {
	put(t, e, row("a"), "1")
	ran := false
	update(t, e, one(row("a")), func([][]byte, *kv.Batch) error { ran = true; return nil })
	if !ran {
		t.Error("f did not run")
	}
	wantVal(t, e, row("a"), "1")
}

func testManyKeys(t *testing.T, e kv.Engine) {
	var ks [][]byte
	for i := range 100 {
		ks = append(ks, row(fmt.Sprint(i)))
	}
	for round := range 3 {
		update(t, e, kv.Txn{Keys: ks, Claim: round == 1}, func(vals [][]byte, b *kv.Batch) error {
			for i, v := range vals {
				if (v == nil) != (round == 0) || v != nil && string(v) != fmt.Sprint(i, round-1) {
					return fmt.Errorf("in round %d value %d is %q", round, i, v)
				}
				b.Put(ks[i], fmt.Append(nil, i, round))
			}
			return nil
		})
	}
}

func testTooLarge(t *testing.T, e kv.Engine) {
	limits := e.Limits()
	put(t, e, row("a"), "old")
	tooLarge := func(what string, f func(b *kv.Batch)) {
		if err := e.Update(t.Context(), one(row("a")), write(f)); !errors.Is(err, kv.ErrTooLarge) {
			t.Errorf("%s: Update returned %v, want ErrTooLarge", what, err)
		}
		wantVal(t, e, row("a"), "old")
		wantNone(t, e, row("b"))
	}
	if limits.TxnBytes > 0 {
		part := make([]byte, limits.TxnBytes/8+1)
		tooLarge("bytes", func(b *kv.Batch) {
			b.Put(row("a"), nil)
			for range 8 {
				b.Put(row("b"), part)
			}
		})
	}
	if limits.TxnKeys > 0 {
		tooLarge("keys", func(b *kv.Batch) {
			b.Put(row("a"), nil)
			for i := range limits.TxnKeys {
				b.Put(row(fmt.Sprint("b", i)), nil)
			}
		})
	}
}

func testNoSync(t *testing.T, e kv.Engine) {
	for i := range 100 {
		x := kv.Txn{Keys: [][]byte{row("a")}, NoSync: true}
		update(t, e, x, write(func(b *kv.Batch) {
			b.Put(row("a"), fmt.Append(nil, i))
			b.Append(1, fmt.Append(nil, i))
		}))
	}
	wantVal(t, e, row("a"), "99")
	if recs := tailAll(t, e, 1, 0); len(recs) != 100 {
		t.Errorf("the log holds %d records, want 100", len(recs))
	}
}

func testCanceled(t *testing.T, e kv.Engine) {
	cause := errors.New("client went away")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	err := e.Update(ctx, one(row("a")), write(func(b *kv.Batch) { b.Put(row("a"), nil) }))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update returned %v, want the context's error", err)
	}
	if _, err := e.View(ctx, kv.ViewOpts{}); !errors.Is(err, context.Canceled) {
		t.Errorf("View returned %v, want the context's error", err)
	}
	if _, _, err := e.TailLog(ctx, 1, 0, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("TailLog returned %v, want the context's error", err)
	}
	if err := e.DeleteRange(ctx, row("a"), row("b")); !errors.Is(err, context.Canceled) {
		t.Errorf("DeleteRange returned %v, want the context's error", err)
	}
	wantNone(t, e, row("a"))
}

func testCanceledWaiting(t *testing.T, e kv.Engine) {
	release := hold(t.Context(), e, one(row("a")), write(func(b *kv.Batch) { b.Put(row("a"), []byte("first")) }))
	ctx, cancel := context.WithCancel(t.Context())
	second := make(chan error, 1)
	go func() {
		second <- e.Update(ctx, one(row("a")), write(func(b *kv.Batch) { b.Put(row("a"), []byte("second")) }))
	}()
	cancel()
	if err := release(); err != nil {
		t.Errorf("the first update returned %v", err)
	}
	if err := <-second; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("the second update returned %v, want the context's error", err)
	}
	wantVal(t, e, row("a"), "first") // the second can't have come later
}

func testDeleteRange(t *testing.T, e kv.Engine) {
	for _, n := range []string{"a", "b", "b1", "c", "d"} {
		put(t, e, row(n), "x")
	}
	put(t, e, rowOf(2, "b"), "x")
	deleteRange := func(lo, hi string) {
		if err := e.DeleteRange(t.Context(), row(lo), row(hi)); err != nil {
			t.Fatalf("DeleteRange: %v", err)
		}
	}
	deleteRange("b", "b")
	deleteRange("d", "a")
	deleteRange("e", "f")
	deleteRange("b", "d")
	if got := text(scan(t, e, rows())); got != "a=x d=x" {
		t.Errorf("what is left is %s", got)
	}
	wantVal(t, e, rowOf(2, "b"), "x")
	put(t, e, row("c"), "again")
	wantVal(t, e, row("c"), "again")
}

func testPreSplit(t *testing.T, e kv.Engine) {
	put(t, e, row("a"), "1")
	for _, at := range [][][]byte{nil, {row("a")}, {row("a"), row("b"), row("c")}} {
		if err := e.PreSplit(t.Context(), at); err != nil {
			t.Fatalf("PreSplit: %v", err)
		}
	}
	wantVal(t, e, row("a"), "1")
	put(t, e, row("b"), "2")
	if got := text(scan(t, e, rows())); got != "a=1 b=2" {
		t.Errorf("after splits the rows are %s", got)
	}
}
