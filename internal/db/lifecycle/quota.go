package lifecycle

import (
	"fmt"

	"github.com/grammedb/gramme/internal/db/table"
)

// AccountQuota is how many units per second, of reads and of writes each, all tables of a region may have provisioned together.
const AccountQuota = 80_000

// A QuotaError refuses a change after which the tables of a region would have more than AccountQuota.
type QuotaError struct {
	Region string
	Write  bool  // of writes rather than reads
	Units  int64 // that they would have
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("lifecycle: %d units provisioned in %s", e.Units, e.Region)
}

// checkQuota holds what next raises over old, nil if there was none, to the quota. Nothing may be changing meanwhile: it is to be
// called within a change of the catalog.
func (m *Manager) checkQuota(old, next *table.Definition) error {
	var had table.Throughput
	if old != nil {
		had = old.Provisioned()
	}
	wants := next.Provisioned()
	all := wants
	for _, d := range m.catalog.List(next.Account, next.Region) {
		if d.Name != next.Name {
			t := d.Provisioned()
			all.Read, all.Write = all.Read+t.Read, all.Write+t.Write
		}
	}
	switch {
	case wants.Read > had.Read && all.Read > AccountQuota:
		return &QuotaError{Region: next.Region, Units: all.Read}
	case wants.Write > had.Write && all.Write > AccountQuota:
		return &QuotaError{Region: next.Region, Write: true, Units: all.Write}
	}
	return nil
}
