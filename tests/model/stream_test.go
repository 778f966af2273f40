package model

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/changelog"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/tests/consumer"
	"github.com/grammedb/gramme/tests/harness"
)

// restless are limits by which shards are split and rotated all the time, and nothing is ever trimmed.
var restless = changelog.Limits{Retention: 100 * 365 * 24 * time.Hour, ShardAge: time.Hour, ShardRecords: 2, Shards: 12}

// A stream is what a stream must show: for each item its records in their order.
type stream struct {
	view    string
	records map[string][]string
}

// stream enables a stream or, without a view, disables it.
func (m *model) stream(op *Op) (code string) {
	t := m.tables[op.Table]
	switch {
	case t == nil:
		return notFound
	case (t.stream != nil) == (op.View != ""):
		return invalid
	case op.View == "":
		t.stream = nil
	default:
		t.stream = &stream{op.View, map[string][]string{}}
		m.streams[op.Table] = append(m.streams[op.Table], t.stream)
	}
	return ""
}

// log notes what an effect does to its item, and by whom if by no client.
func (e *effect) log(user string) {
	s := e.table.stream
	if s == nil || e.old == nil && e.new == nil || e.old != nil && e.new != nil && equalItems(e.old, e.new) {
		return
	}
	event, it := "MODIFY", e.new
	switch {
	case e.old == nil:
		event = "INSERT"
	case e.new == nil:
		event, it = "REMOVE", e.old
	}
	key := Item{}
	for _, a := range e.table.keys() {
		key[a.Name] = it[a.Name]
	}
	shown, size := [2]string{}, itemSize(key)
	for i, image := range []Item{e.old, e.new} {
		if image != nil && slices.Contains([][]string{{"OLD_IMAGE", "NEW_AND_OLD_IMAGES"}, {"NEW_IMAGE", "NEW_AND_OLD_IMAGES"}}[i], s.view) {
			shown[i], size = show(encode(image)), size+itemSize(image)
		}
	}
	text := show(encode(key))
	s.records[text] = append(s.records[text], line(event, shown[0], shown[1], size, user))
}

func line(event, old, new string, size int, user string) string {
	return fmt.Sprint(event, " ", old, " -> ", new, " ", size, " ", user)
}

// records tells what all streams of a name show, in the order in which they were made.
func (m *model) records(op *Op) answer {
	var a answer
	for _, s := range m.streams[op.Table] {
		a.Records = append(a.Records, lines(s.records))
	}
	return a
}

// lines prints the records of a stream, in ascending order of the items' keys.
func lines(records map[string][]string) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(records)) {
		fmt.Fprintln(&b, key, strings.Join(records[key], "; "))
	}
	return b.String()
}

func streamInput(op *Op) *ddb.UpdateTableInput {
	return &ddb.UpdateTableInput{TableName: &op.Table, StreamSpecification: &ddb.StreamSpecification{
		StreamEnabled: ptr(op.View != ""), StreamViewType: optional(op.View),
	}}
}

// records reads all streams of a name from their beginnings.
func (s *system) records(ctx context.Context, op *Op) (a answer, err error) {
	arns, err := s.Streams(ctx, op.Table)
	if err != nil {
		return a, err
	}
	for _, arn := range arns {
		records := map[string][]string{}
		err := consumer.New().Drain(ctx, harness.Stream{Node: s.Node, ARN: arn, Limit: int64(max(1, op.Limit))}, func(r consumer.Record) error {
			records[r.Key] = append(records[r.Key], line(r.Event, r.Old, r.New, r.Size, r.User))
			return nil
		})
		if err != nil {
			return a, fmt.Errorf("%s: %w", arn, err)
		}
		a.Records = append(a.Records, lines(records))
	}
	return a, nil
}

// tend lets time pass and looks after the logs.
func (s *system) tend(ctx context.Context, op *Op) error {
	now := s.clock.Load().Add(op.Step)
	s.clock.Store(&now)
	return s.Log.Tend(ctx)
}

// keyOf returns the key of an item that is shown as JSON, in the same form.
func keyOf(t *table, shown string) (string, error) {
	it, err := attr.ParseItem(shown)
	var fields []attr.Field
	for _, a := range t.keys() {
		fields = append(fields, attr.Field{Name: a.Name, Value: it.Get(a.Name)})
	}
	return show(attr.Make(fields...)), err
}

// follow reads the stream of a table as long as writers are at work, while shards are split and rotated, and compares what it has
// been told with the table.
func (c *crowd) follow(name string) {
	arns, err := c.sys.Streams(c.Context(), name)
	if err != nil || len(arns) != 1 {
		c.Errorf("streams of %s: %v, %v", name, arns, err)
		return
	}
	src := harness.Stream{Node: c.sys.Node, ARN: arns[0], Limit: 50}
	reader, replica := consumer.New(), consumer.Replica{}
	for c.busy.Load() > 0 {
		if _, err := reader.Step(c.Context(), src, replica.Take); err != nil {
			c.Errorf("following %s: %v", name, err)
			return
		}
	}
	if err := reader.Drain(c.Context(), src, replica.Take); err != nil {
		c.Errorf("following %s: %v", name, err)
		return
	}
	if err := replica.Compare(c.items(name)); err != nil {
		c.Errorf("following %s: %v", name, err)
	}
	c.Logf("%s: %d shards, %d items", name, reader.Shards(), len(replica))
}

// items returns the items of a shared table by their keys.
func (c *crowd) items(name string) map[string]string {
	t, items := &table{Schema: shared[name]}, map[string]string{}
	for _, p := range c.must(&Op{Kind: "scan", Table: name, Pages: 10000, Limit: 100}).Pages {
		for _, it := range p.Items {
			key, err := keyOf(t, it)
			if err != nil {
				c.Errorf("%s: %v", it, err)
			}
			items[key] = it
		}
	}
	return items
}

// stir looks after the logs as long as writers are at work. The clock moves little, so that no token expires.
func (c *crowd) stir() {
	for c.busy.Load() > 0 {
		if err := c.sys.tend(c.Context(), &Op{Step: 10 * time.Millisecond}); err != nil {
			c.Errorf("tend: %v", err)
			return
		}
	}
}
