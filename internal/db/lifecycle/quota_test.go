package lifecycle

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/table"
)

// provisioned returns a table with as many units of each kind.
func provisioned(t *testing.T, region, name string, units int64) *table.Definition {
	d := definition(t, name+" id:S")
	d.Region = region
	d.Settings.OnDemandBilling = false
	d.Settings.Throughput = table.Throughput{Read: units, Write: units}
	return d
}

// Tables that are made at the same time do not get past the quota together.
func TestAccountQuotaOfConcurrentCreates(t *testing.T) {
	w := begin(t, dbtest.Engine(t), 0)
	const (
		tables = 20
		units  = 10_000
	)
	errs := make([]error, tables)
	var all sync.WaitGroup
	for i := range errs {
		d := provisioned(t, "eu-test-1", fmt.Sprintf("Tab%d", i), units)
		all.Go(func() { _, errs[i] = w.manager.Create(w.ctx, d) })
	}
	all.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
			continue
		}
		e, ok := errors.AsType[*QuotaError](err)
		if !ok || e.Units != AccountQuota+units || e.Region != "eu-test-1" || e.Write {
			t.Errorf("refused with %v", err)
		}
	}
	if want := AccountQuota / units; made != want {
		t.Errorf("%d tables were made, want %d", made, want)
	}
	if _, err := w.manager.Create(w.ctx, provisioned(t, "eu-test-2", "Tab", units)); err != nil {
		t.Errorf("another region: %v", err)
	}
}

// Tables that have more than the quota already, because an older release allowed it, can be changed unless they get more still.
func TestAccountQuotaOfOldTables(t *testing.T) {
	w := begin(t, dbtest.Engine(t), 0)
	w.create(music)
	dbtest.Change(t, w.catalog, name("Music"), func(old *table.Definition) *table.Definition {
		d := old.Clone()
		d.Settings.Throughput = table.Throughput{Read: 2 * AccountQuota, Write: 2 * AccountQuota}
		return d
	})
	set := func(read, write int64) error {
		_, err := w.manager.Update(w.ctx, name("Music"), func(d *table.Definition) error {
			d.Settings.Throughput.Read, d.Settings.Throughput.Write = read, write
			return nil
		})
		return err
	}
	if err := set(2*AccountQuota-1, 2*AccountQuota); err != nil {
		t.Errorf("less: %v", err)
	}
	e, ok := errors.AsType[*QuotaError](set(1, 2*AccountQuota+1))
	if !ok || !e.Write || e.Units != 2*AccountQuota+1 {
		t.Errorf("more: %v", e)
	}
}
