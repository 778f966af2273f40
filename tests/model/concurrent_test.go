package model

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grammedb/gramme/tests/harness"
)

const writers = 4

// A crowd is writers at work on partitions of their own in tables that all share, while others change the tables. What a writer
// is answered is exactly what its own model says, and in the end every index agrees with its table.
type crowd struct {
	*testing.T
	sys  *system
	busy atomic.Int32 // writers at work
}

// shared are the tables. Their indexes come and go; writers know none.
var shared = map[string]Schema{
	"T-1": {Part: Attr{"pk", "S"}, Sort: &Attr{"sk", "S"}, Indexes: []Index{
		{Name: "local-1", Local: true, Part: []Attr{{"pk", "S"}}, Sort: []Attr{{"b", "N"}}, Proj: "KEYS_ONLY"},
		{Name: "global-1", Part: []Attr{{"a", "S"}}, Sort: []Attr{{"b", "N"}}, Proj: "ALL"},
	}},
	"T-2": {Part: Attr{"pk", "S"}, Sort: &Attr{"sk", "N"}},
}

func TestConcurrent(t *testing.T) {
	limits := restless
	limits.ShardAge = 50 * time.Millisecond
	sys, err := startSystem(harness.Config{Power: true, SyncTime: 20 * time.Microsecond, Streams: limits})
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close()
	c := &crowd{T: t, sys: sys}
	for name, schema := range shared {
		c.must(&Op{Kind: "create", Table: name, Schema: &schema})
		c.must(&Op{Kind: "stream", Table: name, View: "NEW_AND_OLD_IMAGES"})
	}
	first := max(1, *seed)
	for s := first; s < first+uint64(max(1, *seeds/8)); s++ {
		c.round(s)
	}
}

// must does an operation that has to succeed.
func (c *crowd) must(op *Op) answer {
	c.Helper()
	a, err := c.sys.do(c.Context(), op)
	if err != nil || a.Code != "" {
		c.Fatalf("%v: %v %v", op, a.Code, err)
	}
	return a
}

func (c *crowd) round(s uint64) {
	var wg sync.WaitGroup
	models := make([]*model, writers)
	c.busy.Store(writers)
	for i := range models {
		models[i] = newModel(epoch)
		g := newGenerator(s<<8+uint64(i), models[i])
		g.writer = fmt.Sprintf("writer%d-%d", s, i)
		wg.Go(func() { defer c.busy.Add(-1); c.write(g, models[i]) })
	}
	f := &flux{crowd: c, name: fmt.Sprint("flux-", s), log: map[string]change{}}
	wg.Go(func() { c.index(s) })
	wg.Go(func() { c.look(s) })
	wg.Go(func() { c.stir() })
	wg.Go(func() { c.age(s) })
	for name := range shared {
		wg.Go(func() { c.follow(name) })
	}
	wg.Go(func() { f.remake() })
	wg.Go(func() { f.write() })
	wg.Wait()
	if c.Failed() {
		return
	}
	if err := c.sys.check(c.Context()); err != nil {
		c.Fatalf("seed %d: %v", s, err)
	}
	for i, m := range models {
		c.compare(fmt.Sprintf("writer%d-%d", s, i), m)
	}
	f.compare()
}

// write does operations as one writer and compares all answers.
func (c *crowd) write(g *generator, m *model) {
	for name, schema := range shared {
		schema.Indexes = nil
		m.tables[name] = &table{Schema: schema, items: map[string]Item{}}
	}
	g.names = []string{"T-1", "T-2"}
	for range *ops / 2 {
		op := g.op(pick(g, "put", "put", "update", "update", "update", "delete", "get", "batchwrite", "batchget", "transact", "transactget", "query"))
		op.plain()
		want := m.do(&op)
		got, err := c.sys.do(c.Context(), &op)
		if err != nil || !reflect.DeepEqual(got, want) {
			c.Errorf("%v\nanswers %v\n  %s\nwant\n  %s", &op, err, brief(got), brief(want))
			return
		}
	}
}

// plain drops what depends on indexes.
func (op *Op) plain() {
	op.Units = false
	for i := range op.Ops {
		op.Ops[i].plain()
	}
}

// compare compares a writer's partitions with its model.
func (c *crowd) compare(writer string, m *model) {
	for name := range shared {
		op := &Op{Kind: "query", Table: name, Keys: []KeyCond{{"pk", "=", []Value{str(writer)}}}, Pages: 1000, Limit: 9}
		if got, want := c.must(op), m.do(op); !reflect.DeepEqual(got, want) {
			c.Errorf("%s in %s\n  %s\nwant\n  %s", writer, name, brief(got), brief(want))
		}
	}
}

// index makes and drops indexes as long as writers are at work.
func (c *crowd) index(s uint64) {
	g := newGenerator(s, newModel(epoch))
	for c.busy.Load() > 0 {
		name := pick(g, "T-1", "T-2")
		op := Op{Kind: "dropindex", Table: name, Index: fmt.Sprintf("global-%d", 1+g.IntN(4))}
		if g.one(2) {
			schema := shared[name]
			ix := g.global(&table{Schema: schema})
			op = Op{Kind: "addindex", Table: name, NewIndex: &ix}
		}
		a, err := c.sys.do(c.Context(), &op)
		if err != nil || !slices.Contains([]string{"", invalid, notFound, "LimitExceededException", "ResourceInUseException"}, a.Code) {
			c.Errorf("%v: %s %v", &op, a.Code, err)
			return
		}
	}
}

// look reads indexes and tables while they change. Of what it is answered it only demands that no item is shown twice.
func (c *crowd) look(s uint64) {
	g := newGenerator(s, newModel(epoch))
	for c.busy.Load() > 0 {
		op := Op{Kind: "scan", Table: pick(g, "T-1", "T-2"), Limit: 20, Pages: 1000, Project: []string{"pk", "sk"}}
		if g.one(2) {
			op.Index = fmt.Sprintf("global-%d", 1+g.IntN(4))
		}
		a, err := c.sys.do(c.Context(), &op)
		if err != nil || a.Code != "" && a.Code != invalid {
			c.Errorf("%v: %s %v", &op, a.Code, err)
			return
		}
		seen := map[string]bool{}
		for _, p := range a.Pages {
			for _, it := range p.Items {
				if seen[it] && op.Index == "" { // in an index an item can move ahead of the reader
					c.Errorf("%v shows %s twice", &op, it)
				}
				seen[it] = true
			}
		}
	}
}

// A flux is a table that is dropped and made again under the same name while others write to it.
type flux struct {
	*crowd
	name  string
	clock atomic.Int64 // counts events

	dropBegin, dropEnd int64 // the last drop, whose table was made again

	mu  sync.Mutex
	log map[string]change // the last change of each item that was acknowledged
}

// A change is a put or, where value is "", a delete, and when it began and ended.
type change struct {
	begin, end int64
	value      string
}

// remake drops and makes the table as long as writers are at work.
func (f *flux) remake() {
	schema := &Schema{Part: Attr{"pk", "S"}, Indexes: []Index{{Name: "global-1", Part: []Attr{{"a", "S"}}, Proj: "ALL"}}}
	f.must(&Op{Kind: "create", Table: f.name, Schema: schema})
	for f.busy.Load() > 0 {
		f.dropBegin = f.clock.Add(1)
		f.must(&Op{Kind: "drop", Table: f.name})
		f.dropEnd = f.clock.Add(1)
		f.must(&Op{Kind: "create", Table: f.name, Schema: schema})
	}
}

// write puts and deletes items as long as writers are at work, alone and in batches and transactions.
func (f *flux) write() {
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			g := newGenerator(uint64(w), newModel(epoch))
			for n := 0; f.busy.Load() > 0; n++ {
				f.change(g, fmt.Sprintf("item%d-%d", w, n%5), fmt.Sprintf("value%d-%d", w, n))
			}
		})
	}
	wg.Wait()
}

func (f *flux) change(g *generator, key, value string) {
	op := Op{Kind: "put", Table: f.name, Item: Item{"pk": str(key), "a": str(value)}}
	if g.one(5) {
		op, value = Op{Kind: "delete", Table: f.name, Item: Item{"pk": str(key)}}, ""
	}
	if kind := pick(g, "", "batchwrite", "transact"); kind != "" {
		op = Op{Kind: kind, Ops: []Op{op}}
	}
	begin := f.clock.Add(1)
	a, err := f.sys.do(context.WithoutCancel(f.Context()), &op)
	end := f.clock.Add(1)
	switch {
	case err != nil || a.Code != "" && a.Code != notFound:
		f.Errorf("%v: %s %v", &op, a.Code, err)
	case a.Code == "":
		f.mu.Lock()
		f.log[key] = change{begin, end, value}
		f.mu.Unlock()
	}
}

// compare looks whether every item is as its last change left it: gone if the last drop began after that, there if it ended
// before, either if they met.
func (f *flux) compare() {
	a := f.must(&Op{Kind: "scan", Table: f.name, Pages: 1000})
	there := strings.Join(a.Pages[0].Items, "\n")
	for key, c := range f.log {
		has := strings.Contains(there, `"`+key+`"`)
		right := has && strings.Contains(there, `"`+c.value+`"`)
		switch {
		case c.value == "" || c.end < f.dropBegin:
			if has {
				f.Errorf("%s is there, after %+v and a drop in %d..%d", key, c, f.dropBegin, f.dropEnd)
			}
		case c.begin > f.dropEnd && !right, has && !right:
			f.Errorf("%s: %s, after %+v and a drop in %d..%d", key, there, c, f.dropBegin, f.dropEnd)
		}
	}
}
