package table_test

import (
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/table"
)

func TestExpiry(t *testing.T) {
	ttl := table.TTL{Attribute: "t"}
	for _, c := range []struct {
		item string
		want int64 // -1: never
	}{
		{`{"t":{"N":"1767225600"}}`, 1767225600},
		{`{"t":{"N":"1.7672256e9"}}`, 1767225600},
		{`{"t":{"N":"1767225600.000001"}}`, 1767225601},
		{`{"t":{"N":"0"}}`, 0},
		{`{"t":{"N":"-0.5"}}`, 0},
		{`{"t":{"N":"-1"}}`, -1},
		{`{"t":{"N":"253402300799"}}`, 253402300799},
		{`{"t":{"N":"253402300800"}}`, -1},
		{`{"t":{"N":"1767225600000"}}`, -1}, // milliseconds
		{`{"t":{"N":"1e125"}}`, -1},
		{`{"t":{"S":"1767225600"}}`, -1},
		{`{"t":{"NS":["1767225600"]}}`, -1},
		{`{"t":{"M":{"t":{"N":"1767225600"}}}}`, -1},
		{`{"s":{"N":"1767225600"}}`, -1},
		{`{}`, -1},
	} {
		at, ok := ttl.Expiry(dbtest.Item(t, c.item))
		if !ok {
			at = -1
		}
		if at != c.want {
			t.Errorf("%s expires at %d, want %d", c.item, at, c.want)
		}
	}
	if _, ok := ttl.Expiry(nil); ok {
		t.Error("no item expires")
	}
}

func TestDue(t *testing.T) {
	for _, c := range []struct {
		now      time.Time
		from, to int64
	}{
		{time.Unix(1767225600, 999999999), time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), 1767225600},
		{time.Unix(86400, 0), 0, 86400},
		{time.Unix(-86400, 0), 0, 0},
	} {
		if from, to := table.Due(c.now.UTC()); from != c.from || to != c.to {
			t.Errorf("at %v items of %d to %d are due, want %d to %d", c.now, from, to, c.from, c.to)
		}
	}
}

func TestTTLShown(t *testing.T) {
	for _, c := range []struct {
		ttl  table.TTL
		want table.Status
		kept bool
	}{
		{table.TTL{}, table.Disabled, false},
		{table.TTL{Attribute: "t"}, table.Disabled, false},
		{table.TTL{Enabled: true}, table.Enabled, false}, // as a release left it that kept no entries
		{table.TTL{Enabled: true, Entries: 3}, table.Enabled, true},
		{table.TTL{Enabled: true, Entries: 3, Filling: true, Status: table.Enabling}, table.Enabling, true},
		{table.TTL{Entries: 3, Status: table.Disabling}, table.Disabling, false},
	} {
		if got := c.ttl.Shown(); got != c.want || c.ttl.Kept() != c.kept {
			t.Errorf("%+v is %s, kept %v; want %s, %v", c.ttl, got, c.ttl.Kept(), c.want, c.kept)
		}
	}
}
