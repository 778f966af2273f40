package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
)

func TestTransact(t *testing.T) {
	f := newFixture(t, music)
	f.apply(f.put("artist=a song=s1 plays=1 yr=5"))
	f.apply(f.put("artist=b song=s1 genre=g"))
	effects := f.transact(nil,
		f.put("artist=c song=s1 yr=1"),
		f.update("artist=a song=s1", "ADD plays :n", "n=1"),
		f.delete("artist=b song=s1"),
		f.check("artist=d song=s1", "attribute_not_exists(artist)", ""),
	)
	var sizes []string
	for _, e := range effects {
		sizes = append(sizes, fmt.Sprintf("%d>%d %d", e.OldSize, e.NewSize, len(e.Indexes)))
	}
	if got, want := fmt.Sprint(sizes), "[0>17 2 24>24 2 19>0 1 0>0 0]"; got != want {
		t.Errorf("effects %s, want %s", got, want)
	}
	f.expect("artist=a song=s1", "artist=a song=s1 plays=2 yr=5")
	f.expect("artist=b song=s1", "")
	f.expect("artist=c song=s1", "artist=c song=s1 yr=1")
	f.audit()
}

// A transaction that fails does nothing, and tells why for each of its writes.
func TestTransactCanceled(t *testing.T) {
	f := newFixture(t, music)
	f.apply(f.put("artist=a song=s1 plays=1"))
	_, _, err := f.store.Transact(t.Context(), []store.Write{
		f.put("artist=b song=s1"),
		wantOldOnFailure(f.when(f.delete("artist=a song=s1"), "plays > :n", "n=1")),
		f.update("artist=a song=s2", "SET plays = plays + :n", "n=1"),
		f.update("artist=a song=s3", "SET yr = :v", "v=text"),
		f.check("artist=a song=s4", "attribute_exists(artist)", ""),
	}, f.token("t", "r"))
	c, ok := errors.AsType[*store.CanceledError](err)
	if !ok || len(c.Reasons) != 5 {
		t.Fatalf("%v", err)
	}
	e, _ := errors.AsType[*store.ConditionError](c.Reasons[1])
	if c.Reasons[0] != nil || e == nil || dbtest.Text(e.Old) != "artist=a plays=1 song=s1" ||
		!isUpdateError(c.Reasons[2]) || c.Reasons[3] == nil || !isCondition(c.Reasons[4]) {
		t.Errorf("reasons %s", reasons(err))
	}
	f.expect("artist=a song=s1", "artist=a song=s1 plays=1")
	f.expect("artist=b song=s1", "")
	f.transact(f.token("t", "another")) // the token is free still
	f.audit()
}

func TestToken(t *testing.T) {
	f := newFixture(t, "T pk:S")
	add := f.update("pk=a", "ADD n :n", "n=1")
	run := func(request string) (effects []store.Effect, replayed bool, err error) {
		return f.store.Transact(t.Context(), []store.Write{add, f.put("pk=b v=text")}, f.token("t", request))
	}
	for _, c := range []struct {
		step     time.Duration
		request  string
		replayed bool
		err      error
		n        int
	}{
		{0, "r", false, nil, 1},
		{0, "r", true, nil, 1},
		{0, "other", false, store.ErrTokenMismatch, 1},
		{store.TokenLife, "r", true, nil, 1}, // just within
		{time.Microsecond, "other", false, nil, 2},
		{0, "r", false, store.ErrTokenMismatch, 2}, // it is the other's now
		{-24 * time.Hour, "other", true, nil, 2},   // a record from the future is remembered
		{48 * time.Hour, "r", false, nil, 3},
	} {
		f.advance(c.step)
		effects, replayed, err := run(c.request)
		if replayed != c.replayed || !errors.Is(err, c.err) {
			t.Errorf("%v later, %s: replayed %v, %v", c.step, c.request, replayed, err)
		}
		if replayed && (effects[0].NewSize != 6 || effects[1].NewSize != 8) {
			t.Errorf("%v later, %s: replayed with sizes %d and %d", c.step, c.request, effects[0].NewSize, effects[1].NewSize)
		}
		f.expect("pk=a", fmt.Sprintf("pk=a n=%d", c.n))
	}
}

// A replay tells the larger of the sizes before and after each write.
func TestReplaySizes(t *testing.T) {
	f := newFixture(t, "T pk:S")
	f.apply(f.put("pk=a v=longer"))
	f.apply(f.put("pk=b v=x"))
	run := func() []store.Effect {
		return f.transact(f.token("t", "r"), f.delete("pk=a"), f.put("pk=b v=xyz"), f.check("pk=c", "attribute_not_exists(pk)", ""))
	}
	run()
	for i, want := range []int{10, 7, 0} {
		if got := run()[i]; got.NewSize != want || got.OldSize != 0 || got.Indexes != nil {
			t.Errorf("write %d: %+v, want %d bytes", i, got, want)
		}
	}
}

// A token belongs to an account and a region.
func TestTokenScope(t *testing.T) {
	f := newFixture(t, "T pk:S")
	add := f.update("pk=a", "ADD n :n", "n=1")
	for _, region := range []string{"eu-test-1", "us-test-1"} {
		f.transact(&store.Token{Key: keys.Token("000000000000", region, "t")}, add)
	}
	f.expect("pk=a", "pk=a n=2")
}

func TestTokenSurvives(t *testing.T) {
	f := newFixture(t, "T pk:S")
	add := f.update("pk=a", "ADD n :n", "n=1")
	f.transact(f.token("t", "r"), add)
	f.store = store.New(f.engine, f.catalog, f.now)
	f.transact(f.token("t", "r"), add)
	f.expect("pk=a", "pk=a n=1")
}

func TestDamagedToken(t *testing.T) {
	f := newFixture(t, "T pk:S")
	tok := f.token("t", "r")
	for _, record := range []string{"short", string(make([]byte, 30))} {
		f.set(time.Unix(0, 0))
		if err := f.engine.Update(t.Context(), kv.Txn{}, func(_ [][]byte, b *kv.Batch) error {
			b.Put(tok.Key, []byte(record))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := f.store.Transact(t.Context(), []store.Write{f.put("pk=a")}, tok); !errors.Is(err, kv.ErrCorrupt) {
			t.Errorf("record of %d bytes: %v", len(record), err)
		}
	}
}

func TestSweepTokens(t *testing.T) {
	f := newFixture(t, "T pk:S")
	const n = 1200 // more than one round
	for i := range n {
		f.transact(f.token(fmt.Sprint("t", i), "r"), f.check("pk=a", "attribute_not_exists(pk)", ""))
		if i == n/2 {
			f.advance(store.TokenLife)
		}
	}
	for _, c := range []struct {
		step time.Duration
		left int
	}{{0, n}, {time.Microsecond, n/2 - 1}, {-24 * time.Hour, n/2 - 1}, {48 * time.Hour, 0}} {
		f.advance(c.step)
		if err := f.store.SweepTokens(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := f.tokens(); got != c.left {
			t.Errorf("%v later %d tokens are left, want %d", c.step, got, c.left)
		}
	}
}

// tokens counts the stored tokens.
func (f *fixture) tokens() (n int) {
	view, err := f.engine.View(f.Context(), kv.ViewOpts{})
	if err != nil {
		f.Fatal(err)
	}
	defer view.Close()
	lo, hi := keys.Tokens()
	it, err := view.Scan(kv.Range{Lo: lo, Hi: hi})
	if err != nil {
		f.Fatal(err)
	}
	defer it.Close()
	for it.Next() {
		n++
	}
	return n
}

// held runs f while a transaction of the writes is under way: it has claimed its keys, and is asking for the time.
func (f *fixture) held(t *store.Token, writes []store.Write, during func()) {
	f.Helper()
	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	hook := func() {
		once.Do(func() {
			f.hook.Store(nil) // others pass
			close(entered)
			<-leave
		})
	}
	f.hook.Store(&hook)
	done := make(chan error, 1)
	go func() {
		_, _, err := f.store.Transact(f.Context(), writes, t)
		done <- err
	}()
	<-entered
	during()
	close(leave)
	if err := <-done; err != nil {
		f.Errorf("the transaction that came first: %v", reasons(err))
	}
}

// Whatever meets an item in a running transaction is told so, and has no effect. Reads are not in its way.
func TestConflict(t *testing.T) {
	f := newFixture(t, "T pk:S")
	f.apply(f.put("pk=a v=1"))
	f.held(nil, []store.Write{f.put("pk=a v=2"), f.check("pk=b", "attribute_not_exists(pk)", "")}, func() {
		_, err := f.store.Apply(t.Context(), f.put("pk=a v=3"))
		_, berr := f.store.Batch(t.Context(), []store.Write{f.put("pk=c"), f.put("pk=b")}) // only checked there
		for _, err := range []error{err, berr} {
			if !errors.Is(err, store.ErrInTransaction) {
				t.Errorf("%v, want ErrInTransaction", err)
			}
		}
		_, _, err = f.store.Transact(t.Context(), []store.Write{f.put("pk=d"), f.delete("pk=a")}, f.token("t", "r"))
		if got := reasons(err); got != "<nil>; "+store.ErrInTransaction.Error() {
			t.Errorf("another transaction: %s", got)
		}
		f.expect("pk=a", "pk=a v=1")
		f.apply(f.put("pk=other"))
	})
	f.expect("pk=a", "pk=a v=2")
	f.expect("pk=c", "")
	f.expect("pk=d", "")
	f.expect("pk=other", "pk=other")
}

// A request that is sent again while it runs is told that it runs, not that its items are in a transaction.
func TestTokenInProgress(t *testing.T) {
	f := newFixture(t, "T pk:S")
	add := []store.Write{f.update("pk=a", "ADD n :n", "n=1")}
	f.held(f.token("t", "r"), add, func() {
		for _, other := range [][]store.Write{add, {f.put("pk=b")}} {
			if _, _, err := f.store.Transact(t.Context(), other, f.token("t", "r")); !errors.Is(err, store.ErrTokenInProgress) {
				t.Errorf("%v, want ErrTokenInProgress", reasons(err))
			}
		}
	})
	if _, replayed, err := f.store.Transact(t.Context(), add, f.token("t", "r")); !replayed || err != nil {
		t.Errorf("afterwards: replayed %v, %v", replayed, err)
	}
	f.expect("pk=a", "pk=a n=1")
}

// Writers of many kinds lose nothing and leave indexes and counters right.
func TestConcurrentWrites(t *testing.T) {
	f := newFixture(t, music)
	const workers, each = 8, 50
	var wg sync.WaitGroup
	var mu sync.Mutex
	added := map[string]int{}
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				keys := []string{fmt.Sprintf("artist=a song=s%d", i%3), fmt.Sprintf("artist=b song=s%d", (i+w)%3)}
				writes := []store.Write{
					f.update(keys[0], "ADD plays :n SET yr = :y", fmt.Sprintf("n=1 y=%d", i)),
					f.update(keys[1], "ADD plays :n SET genre = :g", fmt.Sprintf("n=1 g=g%d", w)),
				}
				err := f.write(writes, (i+w)%4)
				_, canceled := errors.AsType[*store.CanceledError](err)
				switch {
				case err == nil:
					mu.Lock()
					added[keys[0]]++
					added[keys[1]]++
					mu.Unlock()
				case !canceled && !errors.Is(err, store.ErrInTransaction):
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for key, n := range added {
		found, _ := f.store.Get(t.Context(), store.Read{Table: f.table, Key: f.key(key)})
		if got := dbtest.Text(found.Item.Merge(nil)); found.Item.Get("plays").String() != fmt.Sprintf(`{"N":"%d"}`, n) {
			t.Errorf("%s: want %d plays", got, n)
		}
	}
	f.audit()
}

// write does two writes as a batch or as a transaction, so that both succeed or none.
func (f *fixture) write(writes []store.Write, how int) error {
	if how == 0 {
		_, _, err := f.store.Transact(f.Context(), writes, nil)
		return err
	}
	_, err := f.store.Batch(f.Context(), writes)
	return err
}
