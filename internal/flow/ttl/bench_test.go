package ttl

import (
	"fmt"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv/pebblekv"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// BenchmarkStep deletes expired items of about 200 bytes, on a disk, without rests.
func BenchmarkStep(b *testing.B) {
	e, err := pebblekv.Open(pebblekv.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	catalog := dbtest.Catalog(b, e)
	d := dbtest.Create(b, catalog, "Sessions id:S")
	d = dbtest.Change(b, catalog, d.FullName(), func(old *table.Definition) *table.Definition {
		next := old.Clone()
		next.TTL = table.TTL{Enabled: true, Attribute: "expires", Entries: 1}
		return next
	})
	items := store.New(e, catalog, time.Now)
	expires := time.Now().Add(-time.Minute).Unix()
	for i := 0; i < b.N; i += 25 {
		var writes []store.Write
		for n := i; n < min(i+25, b.N); n++ {
			it, _ := attr.ParseItem(fmt.Sprintf(`{"id":{"S":"item-%08d"},"expires":{"N":"%d"},"data":{"S":"%0164d"}}`, n, expires, n))
			k, _ := d.KeyOf(it)
			writes = append(writes, store.Write{Kind: store.Put, Table: d, Key: k, Item: it})
		}
		if _, err := items.Batch(b.Context(), writes); err != nil {
			b.Fatal(err)
		}
	}
	s := New(Config{Engine: e, Catalog: catalog, Store: items})
	p := s.begin(func(*pass) bool { return true })[0]
	b.ReportAllocs()
	b.ResetTimer()
	for more := true; more; {
		if more, err = s.step(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	p = s.begin(func(*pass) bool { return true })[0]
	if _, err := s.step(b.Context(), p); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(p.cost.Microseconds()), "us/look-again")
	if n := p.deleted.Load(); n != int64(b.N) {
		b.Errorf("%d of %d deleted", n, b.N)
	}
}
