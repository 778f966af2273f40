package dynamodb

import (
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/table"
)

// tableQuota is how many units per second a table or an index may have, and a table and its global indexes together.
const tableQuota = 40_000

// maxUnits is what no request may exceed in form.
const maxUnits = 1_000_000_000_000

// What a new on-demand table or index can serve at once, in units per second.
var onDemandWarm = table.Warm{Read: 12_000, Write: 4_000}

const seeGuide = "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."

// A scope says whose throughput a text is about: the table's, or that of the index with this name.
type scope string

func (s scope) String() string {
	if s == "" {
		return "table"
	}
	return "index " + string(s)
}

// checkBounds refuses throughput that no table could have.
func (s scope) checkBounds(p *ddb.ProvisionedThroughput) error {
	if p == nil {
		return nil
	}
	tail := ""
	if s != "" {
		tail = " for index " + string(s)
	}
	if *p.ReadCapacityUnits > maxUnits {
		return api.Invalid("Given value %d for ReadCapacityUnits is out of bounds%s", *p.ReadCapacityUnits, tail)
	}
	if *p.WriteCapacityUnits > maxUnits {
		return api.Invalid("Given value %d for WriteCapacityUnits is out of bounds%s", *p.WriteCapacityUnits, tail)
	}
	return nil
}

// checkTableQuotas holds the throughput of a table and of its indexes to the quota, each by itself and, where it is more than the
// table had before, all together.
func checkTableQuotas(d *table.Definition, had table.Throughput) error {
	if err := scope("").checkQuota(d.Region, d.Settings.Throughput); err != nil {
		return err
	}
	for i := range d.Indexes {
		if err := scope(d.Indexes[i].Name).checkQuota(d.Region, d.Indexes[i].Throughput); err != nil {
			return err
		}
	}
	sum := d.Provisioned()
	if sum.Read <= had.Read {
		sum.Read = 0
	}
	if sum.Write <= had.Write {
		sum.Write = 0
	}
	return scope("").checkQuota(d.Region, sum)
}

// checkQuota refuses throughput above the quota of a table or an index.
func (s scope) checkQuota(region string, t table.Throughput) error {
	x := excess{whose: "table", quota: tableQuota, region: region}
	if s != "" {
		x.whose, x.index = "index", string(s)
	}
	switch {
	case t.Read > tableQuota:
		x.units = t.Read
	case t.Write > tableQuota:
		x.units, x.write = t.Write, true
	default:
		return nil
	}
	return x.error()
}

// An excess is throughput above a quota.
type excess struct {
	units  int64
	write  bool   // of writes rather than reads
	whose  string // the quota of a table, an index, an account
	index  string // with the quota of an index
	quota  int
	region string
}

func (x excess) error() *api.Error {
	member, of := "ReadCapacityUnits", ""
	if x.write {
		member = "WriteCapacityUnits"
	}
	if x.index != "" {
		of = "for index " + x.index + " "
	}
	return api.Errorf("LimitExceededException", "The requested %s, %d, %sis above the per %s maximum for the account in %s. Per %[4]s maximum: %[6]d. %[7]s",
		member, x.units, of, x.whose, x.region, x.quota, seeGuide)
}

func throughput(p *ddb.ProvisionedThroughput) table.Throughput {
	if p == nil {
		return table.Throughput{}
	}
	return table.Throughput{Read: *p.ReadCapacityUnits, Write: *p.WriteCapacityUnits}
}

// checkIndexBilling holds a new or changed index to the billing mode of its table.
func (s scope) checkIndexBilling(onDemand bool, p *ddb.ProvisionedThroughput) error {
	switch {
	case onDemand && p != nil:
		return invalid("ProvisionedThroughput should not be specified for index: %s when BillingMode is PAY_PER_REQUEST", string(s))
	case !onDemand && p == nil:
		return invalid("ProvisionedThroughput is not specified for index: %s", string(s))
	}
	return s.checkBounds(p)
}

func errUnitsOnDemand() error {
	return invalid("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
}

// changeThroughput returns old with the units of p and the history of the change.
func (s scope) changeThroughput(old table.Throughput, p *ddb.ProvisionedThroughput, now time.Time) (table.Throughput, error) {
	next := old
	next.Read, next.Write = *p.ReadCapacityUnits, *p.WriteCapacityUnits
	if next.Read == old.Read && next.Write == old.Write {
		return old, api.Invalid("The provisioned throughput for the %[1]v will not change. The requested value equals the current value. "+
			"Current ReadCapacityUnits provisioned for the %[1]v: %[2]d. Requested ReadCapacityUnits: %[2]d. "+
			"Current WriteCapacityUnits provisioned for the %[1]v: %[3]d. Requested WriteCapacityUnits: %[3]d. %[4]s", s, old.Read, old.Write, seeGuide)
	}
	if next.Read < old.Read || next.Write < old.Write {
		if err := checkDecrease(old, now); err != nil {
			return old, err
		}
		next.DecreasesToday, next.LastDecrease = decreasesToday(old, now)+1, now
	}
	if next.Read > old.Read || next.Write > old.Write {
		next.LastIncrease = now
	}
	return next, nil
}

// Of decreases on one UTC day the first few are free, each further one has to wait after the one before.
const (
	freeDecreases = 4
	decreasePause = time.Hour
)

func decreasesToday(t table.Throughput, now time.Time) int64 {
	if t.LastDecrease.UTC().Format(time.DateOnly) != now.UTC().Format(time.DateOnly) {
		return 0
	}
	return t.DecreasesToday
}

func checkDecrease(t table.Throughput, now time.Time) error {
	const layout = "Monday, January 2, 2006 3:04:05 PM UTC"
	n, next := decreasesToday(t, now), t.LastDecrease.Add(decreasePause)
	if n < freeDecreases || !now.Before(next) {
		return nil
	}
	return limitExceeded("Provisioned throughput decreases are limited within a given UTC day. After the first %d decreases, each "+
		"subsequent decrease in the same UTC day can be performed at most once every %d seconds. Number of decreases today: %d. "+
		"Last decrease at %s. Next decrease can be made at %s", freeDecreases, int(decreasePause.Seconds()), n,
		t.LastDecrease.UTC().Format(layout), next.UTC().Format(layout))
}

// mergeOnDemand returns old with the caps of p set; -1 removes one, where a cap may be removed.
func (s scope) mergeOnDemand(old table.OnDemand, p *ddb.OnDemandThroughput, mayRemove bool) (table.OnDemand, error) {
	if p == nil {
		return old, nil
	}
	if p.MaxReadRequestUnits == nil && p.MaxWriteRequestUnits == nil {
		return old, invalid("At least one of MaxReadRequestUnits or MaxWriteRequestUnits must be specified for OnDemandThroughput for %v", s)
	}
	next := old
	for _, m := range []struct {
		name string
		sent *int64
		cap  *int64
	}{{"MaxReadRequestUnits", p.MaxReadRequestUnits, &next.MaxRead}, {"MaxWriteRequestUnits", p.MaxWriteRequestUnits, &next.MaxWrite}} {
		switch {
		case m.sent == nil:
		case *m.sent >= 1:
			*m.cap = *m.sent
		case *m.sent == -1 && mayRemove:
			*m.cap = 0
		default:
			return old, invalid("Requested %s for OnDemandThroughput for %v is outside of valid range", m.name, s)
		}
	}
	return next, nil
}

func errOnDemandCaps(p *ddb.OnDemandThroughput) error {
	member := "MaxReadRequestUnits"
	if p.MaxReadRequestUnits == nil {
		member = "MaxWriteRequestUnits"
	}
	return invalid("%s for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED.", member)
}

// raiseWarm returns old raised to what p asks for. Warm throughput never goes down.
func (s scope) raiseWarm(old table.Warm, p *ddb.WarmThroughput) (table.Warm, error) {
	if p == nil {
		return old, nil
	}
	if p.ReadUnitsPerSecond == nil && p.WriteUnitsPerSecond == nil {
		return old, invalid("At least one of ReadUnitsPerSecond or WriteUnitsPerSecond must be specified for WarmThroughput for %v", s)
	}
	next := old
	for _, m := range []struct {
		name string
		sent *int64
		warm *int64
	}{{"ReadUnitsPerSecond", p.ReadUnitsPerSecond, &next.Read}, {"WriteUnitsPerSecond", p.WriteUnitsPerSecond, &next.Write}} {
		switch {
		case m.sent == nil:
		case *m.sent < *m.warm:
			return old, invalid("Requested %s for WarmThroughput for %v is lower than current WarmThroughput, "+
				"decreasing WarmThroughput is not supported", m.name, s)
		case *m.sent > tableQuota:
			return old, api.Errorf("LimitExceededException", "The requested %s for WarmThroughput, %d, is above the maximum for a table: %d. %s",
				m.name, *m.sent, tableQuota, seeGuide)
		default:
			*m.warm = *m.sent
		}
	}
	return next, nil
}

// warmth returns the warm throughput that goes with a mode and with throughput, at least old.
func warmth(old table.Warm, onDemand bool, t table.Throughput) table.Warm {
	w := table.Warm{Read: t.Read, Write: t.Write}
	if onDemand {
		w = onDemandWarm
	}
	return table.Warm{Read: max(old.Read, w.Read), Write: max(old.Write, w.Write)}
}
