package store_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// A fixture is a store with one table and a clock that the test moves.
type fixture struct {
	*testing.T
	engine  kv.Engine
	catalog *table.Catalog
	store   *store.Store
	table   *table.Definition
	cache   *expr.Cache
	clock   atomic.Pointer[time.Time]
	hook    atomic.Pointer[func()] // called when the store asks for the time
}

// music is the table of most tests.
const music = `
Music artist:S song:S
local ByYear artist:S yr:N KEYS_ONLY
global ByGenre genre:S yr:N INCLUDE(secs)
global BySong song:S ALL`

func newFixture(t *testing.T, definition string) *fixture {
	f := &fixture{T: t, engine: dbtest.Engine(t), cache: expr.NewCache(100)}
	f.catalog = dbtest.Catalog(t, f.engine)
	f.table = dbtest.Create(t, f.catalog, definition)
	f.store = store.New(f.engine, f.catalog, f.now)
	f.set(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	return f
}

func (f *fixture) now() time.Time {
	if hook := f.hook.Load(); hook != nil {
		(*hook)()
	}
	return *f.clock.Load()
}

func (f *fixture) set(t time.Time)             { f.clock.Store(&t) }
func (f *fixture) advance(d time.Duration)     { f.set(f.clock.Load().Add(d)) }
func (f *fixture) audit()                      { f.Helper(); dbtest.CheckAudit(f.T, f.engine, f.catalog) }
func (f *fixture) item(text string) attr.Item  { f.Helper(); return dbtest.Item(f.T, text) }
func (f *fixture) current() *table.Definition  { return f.catalog.Get(f.table.FullName()) }
func (f *fixture) key(text string) table.Key   { f.Helper(); return must(f, f.table.ParseKey, text) }
func (f *fixture) keyOf(text string) table.Key { f.Helper(); return must(f, f.table.KeyOf, text) }

func must(f *fixture, parse func(attr.Item) (table.Key, error), text string) table.Key {
	f.Helper()
	k, err := parse(f.item(text))
	if err != nil {
		f.Fatalf("key %s: %v", text, err)
	}
	return k
}

// The writes, planned with the table as it is now.

func (f *fixture) put(text string) store.Write {
	f.Helper()
	return store.Write{Kind: store.Put, Table: f.current(), Key: f.keyOf(text), Item: f.item(text)}
}

func (f *fixture) delete(key string) store.Write {
	f.Helper()
	return store.Write{Kind: store.Delete, Table: f.current(), Key: f.key(key)}
}

// update plans an update; values are in the short form of items, without their colons.
func (f *fixture) update(key, expression, values string) store.Write {
	f.Helper()
	b := f.bind(expr.Request{Update: &expression}, values)
	return store.Write{Kind: store.Update, Table: f.current(), Key: f.key(key), Update: b.Update}
}

func (f *fixture) check(key, condition, values string) store.Write {
	f.Helper()
	return f.when(store.Write{Kind: store.Check, Table: f.current(), Key: f.key(key)}, condition, values)
}

// when makes a write conditional.
func (f *fixture) when(w store.Write, condition, values string) store.Write {
	f.Helper()
	w.Condition = f.bind(expr.Request{Condition: &condition}, values).Condition
	return w
}

func (f *fixture) bind(r expr.Request, values string) expr.Bound {
	f.Helper()
	if values != "" {
		var fields []attr.Field
		for name, v := range f.item(values).All() {
			fields = append(fields, attr.Field{Name: ":" + string(name), Value: v})
		}
		r.Values = attr.Sent(attr.Make(fields...))
	}
	b, err := f.cache.Bind(r)
	if err != nil {
		f.Fatal(err)
	}
	return b
}

func wantOld(w store.Write) store.Write          { w.WantOld = true; return w }
func wantOldOnFailure(w store.Write) store.Write { w.WantOldOnFailure = true; return w }

// apply does a write that must succeed.
func (f *fixture) apply(w store.Write) store.Effect {
	f.Helper()
	e, err := f.store.Apply(f.Context(), w)
	if err != nil {
		f.Fatalf("write: %v", err)
	}
	return e
}

// transact does a transaction that must succeed.
func (f *fixture) transact(t *store.Token, ws ...store.Write) []store.Effect {
	f.Helper()
	effects, _, err := f.store.Transact(f.Context(), ws, t)
	if err != nil {
		f.Fatalf("transaction: %v", reasons(err))
	}
	return effects
}

func (f *fixture) token(name, request string) *store.Token {
	return &store.Token{Key: keys.Token("000000000000", "eu-test-1", name), Hash: sha256.Sum256([]byte(request))}
}

// reasons prints an error, with its reasons if it is a CanceledError.
func reasons(err error) string {
	c, ok := errors.AsType[*store.CanceledError](err)
	if !ok {
		return fmt.Sprint(err)
	}
	var list []string
	for _, r := range c.Reasons {
		list = append(list, fmt.Sprint(r))
	}
	return strings.Join(list, "; ")
}

// get returns an item in text form, "" if there is none.
func (f *fixture) get(key string) string {
	f.Helper()
	found, err := f.store.Get(f.Context(), store.Read{Table: f.table, Key: f.key(key)})
	if err != nil {
		f.Fatal(err)
	}
	return dbtest.Text(found.Item)
}

// expect compares an item with what it must be, "" for none.
func (f *fixture) expect(key, want string) {
	f.Helper()
	if want != "" {
		want = dbtest.Text(f.item(want))
	}
	if got := f.get(key); got != want {
		f.Errorf("item %s is %q, want %q", key, got, want)
	}
}

// stored returns the row of an item.
func (f *fixture) stored(key string) row.Row {
	f.Helper()
	view, err := f.engine.View(f.Context(), kv.ViewOpts{})
	if err != nil {
		f.Fatal(err)
	}
	defer view.Close()
	val, err := view.Get(f.table.AppendRowKey(nil, f.key(key)))
	if err != nil {
		f.Fatal(err)
	}
	r, err := row.Decode(val)
	if err != nil {
		f.Fatal(err)
	}
	r.Item = append(attr.Item(nil), r.Item...)
	return r
}
