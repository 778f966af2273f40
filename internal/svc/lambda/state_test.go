package lambda

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/db/lifecycle"
	"github.com/grammedb/gramme/internal/db/query"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/iam"
	"github.com/grammedb/gramme/internal/job"
	"github.com/grammedb/gramme/internal/kv/memkv"
	"github.com/grammedb/gramme/internal/lang/expr"
	"github.com/grammedb/gramme/internal/svc/dynamodb"
)

// newState makes a state in a database in memory.
func newState(t *testing.T) state {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	engine := memkv.Open()
	jobs := job.New(log)
	t.Cleanup(func() {
		jobs.Close()
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	catalog, err := table.OpenCatalog(t.Context(), engine)
	if err != nil {
		t.Fatal(err)
	}
	tables := lifecycle.New(lifecycle.Config{Engine: engine, Catalog: catalog, Jobs: jobs, Now: time.Now, Logger: log})
	database := dynamodb.New(dynamodb.Config{
		Catalog: catalog, Lifecycle: tables, Store: store.New(engine, catalog, time.Now), Reader: query.NewReader(engine, catalog),
		Expressions: expr.NewCache(16), Now: time.Now,
	}).API()
	s := state{api.NewInvoker(iam.System(), time.Now, database)}
	for range 2 { // the second finds the table
		if err := s.open(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestDocuments(t *testing.T) {
	s, ctx := newState(t), t.Context()
	type doc struct{ N int }
	put := func(key id, n int, condition string, want bool) {
		t.Helper()
		if ok, err := s.put(ctx, key, doc{n}, condition); ok != want || err != nil {
			t.Errorf("put %v %d %q: %v, %v", key, n, condition, ok, err)
		}
	}
	a := id{"p", "x/a"}
	put(a, 1, ifThere, false)
	put(a, 2, ifAbsent, true)
	put(a, 3, ifAbsent, false)
	put(a, 4, ifThere, true)
	put(id{"p", "x/b"}, 5, always, true)
	put(id{"p", "y/c"}, 6, always, true)
	var d doc
	if found, err := s.get(ctx, a, &d); !found || d.N != 4 || err != nil {
		t.Errorf("get: %v %v %v", found, d, err)
	}
	for _, tt := range []struct {
		rows span
		want []doc
	}{
		{span{pk: "p"}, []doc{{4}, {5}, {6}}},
		{span{pk: "p", prefix: "x/"}, []doc{{4}, {5}}},
		{span{pk: "p", prefix: "x/", after: "a"}, []doc{{5}}},
		{span{pk: "q"}, nil},
	} {
		if got, err := all[doc](ctx, s, tt.rows); !slices.Equal(got, tt.want) || err != nil {
			t.Errorf("%v: %v, %v; want %v", tt.rows, got, err, tt.want)
		}
	}
	for _, want := range []bool{true, false} {
		if there, err := s.remove(ctx, a); there != want || err != nil {
			t.Errorf("remove: %v, %v; want %v", there, err, want)
		}
	}
	if found, err := s.get(ctx, a, &d); found || err != nil {
		t.Errorf("get after remove: %v, %v", found, err)
	}
}

func TestBlobs(t *testing.T) {
	s, ctx := newState(t), t.Context()
	contents := map[string][]byte{"empty": {}, "small": []byte("x"), "exact": bytes.Repeat([]byte("e"), piece), "large": bytes.Repeat([]byte("large"), piece)}
	for name, content := range contents {
		if err := s.putBlob(ctx, name, content); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range contents {
		if got, err := s.getBlob(ctx, name, int64(len(content))); !bytes.Equal(got, content) || got == nil || err != nil {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if err := s.sweepBlobs(ctx, map[string]bool{"small": true}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.getBlob(ctx, "small", 1); string(got) != "x" || err != nil {
		t.Errorf("a blob that is used: %q, %v", got, err)
	}
	if got, err := s.getBlob(ctx, "large", 5*piece); got != nil || err != nil {
		t.Errorf("a blob that is not: %d bytes, %v", len(got), err)
	}
	if left := rows(t, s, "blob"); left != 1 {
		t.Errorf("%d blobs are left", left)
	}
}

// rows counts the rows of a partition.
func rows(t *testing.T, s state, pk string) (n int) {
	t.Helper()
	err := s.each(context.Background(), span{pk: pk}, func(string, []byte) (bool, error) {
		n++
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestManyDocuments: a span is read to its end, over several pages.
func TestManyDocuments(t *testing.T) {
	s := newState(t)
	big := make([]byte, 200<<10)
	for i := range 9 {
		if _, err := s.put(t.Context(), id{"p", fmt.Sprint(i)}, big, always); err != nil {
			t.Fatal(err)
		}
	}
	if n := rows(t, s, "p"); n != 9 {
		t.Errorf("%d rows", n)
	}
}
