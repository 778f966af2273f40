package dynamodb

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/lifecycle"
	"github.com/grammedb/gramme/internal/db/table"
)

func (s *Service) updateTable(ctx context.Context, c *api.Call, in *ddb.UpdateTableInput) (*ddb.UpdateTableOutput, error) {
	name, err := tableName(c, *in.TableName)
	if err != nil {
		return nil, err
	}
	if err := checkTableUpdate(in); err != nil {
		return nil, err
	}
	if err := checkIndexesFree(s.Catalog.Get(name), in.GlobalSecondaryIndexUpdates); err != nil {
		return nil, err
	}
	u := tableUpdate{in: in, now: s.Now()}
	var d *table.Definition
	switch {
	case in.DeletionProtectionEnabled != nil:
		d, err = s.Lifecycle.Set(ctx, name, u.protect)
	case in.WarmThroughput != nil, onlyWarmsIndexes(in):
		d, err = s.Lifecycle.Set(ctx, name, u.warm)
	default:
		d, err = s.Lifecycle.Update(ctx, name, u.edit)
	}
	if err != nil {
		return nil, err
	}
	sizes, err := s.Lifecycle.Sizes(ctx, d)
	if err != nil {
		return nil, err
	}
	return &ddb.UpdateTableOutput{TableDescription: u.answer(s.describe(d, sizes))}, nil
}

// A tableUpdate changes a definition as a request wants.
type tableUpdate struct {
	in  *ddb.UpdateTableInput
	now time.Time
}

// answer adds to a description of the table before the update what the service tells already: on-demand caps, with -1 for
// those that go, and that warm throughput is on its way.
func (u *tableUpdate) answer(td *ddb.TableDescription) *ddb.TableDescription {
	td.OnDemandThroughput = echoCaps(td.OnDemandThroughput, u.in.OnDemandThroughput)
	if u.in.WarmThroughput != nil {
		td.WarmThroughput.Status = new("UPDATING")
	}
	for _, up := range u.in.GlobalSecondaryIndexUpdates {
		for i := range td.GlobalSecondaryIndexes {
			if g := &td.GlobalSecondaryIndexes[i]; up.Update != nil && *g.IndexName == *up.Update.IndexName {
				answerIndex(g, up.Update)
			}
		}
	}
	return td
}

func answerIndex(g *ddb.GlobalSecondaryIndexDescription, sent *ddb.UpdateGlobalSecondaryIndexAction) {
	g.OnDemandThroughput = echoCaps(g.OnDemandThroughput, sent.OnDemandThroughput)
	if sent.WarmThroughput != nil {
		g.WarmThroughput.Status = new("UPDATING")
	}
}

func echoCaps(shown, sent *ddb.OnDemandThroughput) *ddb.OnDemandThroughput {
	if sent == nil {
		return shown
	}
	shown = cmp.Or(shown, &ddb.OnDemandThroughput{})
	return &ddb.OnDemandThroughput{
		MaxReadRequestUnits:  cmp.Or(sent.MaxReadRequestUnits, shown.MaxReadRequestUnits),
		MaxWriteRequestUnits: cmp.Or(sent.MaxWriteRequestUnits, shown.MaxWriteRequestUnits),
	}
}

// protectionPause is how long deletion protection cannot be changed again.
const protectionPause = 15 * time.Second

func (u *tableUpdate) protect(d *table.Definition) error {
	set, on := &d.Settings, *u.in.DeletionProtectionEnabled
	if set.DeletionProtection == on {
		return nil
	}
	if next := set.ProtectionChanged.Add(protectionPause); u.now.Before(next) {
		return api.Throttled("Deletion protection of table %s has just been modified. It can be modified again at %s", d.Name, next.UTC().Format(time.RFC3339))
	}
	set.DeletionProtection, set.ProtectionChanged = on, u.now
	return nil
}

// warm raises the warm throughput of the table, or of indexes.
func (u *tableUpdate) warm(d *table.Definition) (err error) {
	if d.Status == table.Updating {
		return lifecycle.Busy(d)
	}
	for i := range u.in.GlobalSecondaryIndexUpdates {
		if err := u.changeIndex(d, u.in.GlobalSecondaryIndexUpdates[i].Update, false); err != nil {
			return err
		}
	}
	d.Settings.Warm, err = scope("").raiseWarm(d.Settings.Warm, u.in.WarmThroughput)
	return err
}

// onlyWarmsIndexes reports whether all that a request changes is the warm throughput of indexes.
func onlyWarmsIndexes(in *ddb.UpdateTableInput) bool {
	if sent, _ := sentChanges(in); sent != 1 || len(in.GlobalSecondaryIndexUpdates) == 0 {
		return false
	}
	return !slices.ContainsFunc(in.GlobalSecondaryIndexUpdates, func(up ddb.GlobalSecondaryIndexUpdate) bool {
		u := up.Update
		return u == nil || u.WarmThroughput == nil || u.ProvisionedThroughput != nil || u.OnDemandThroughput != nil
	})
}

// edit makes the changes that put a table into UPDATING.
func (u *tableUpdate) edit(d *table.Definition) error {
	switch {
	case u.in.SSESpecification != nil:
		return invalid("Table is already encrypted by default.")
	case u.in.TableClass != nil:
		return changeClass(&d.Settings, *u.in.TableClass, u.now)
	}
	if err := u.changeStream(d); err != nil {
		return err
	}
	had := d.Provisioned()
	switched := u.switchMode(d)
	if err := u.changeUnits(d, switched); err != nil {
		return err
	}
	if err := u.changeCaps(d); err != nil {
		return err
	}
	if err := u.changeIndexes(d, switched); err != nil {
		return err
	}
	return checkTableQuotas(d, had)
}

// switchMode changes the billing mode and reports whether that is a change.
func (u *tableUpdate) switchMode(d *table.Definition) bool {
	set := &d.Settings
	onDemand := is(u.in.BillingMode, "PAY_PER_REQUEST")
	if u.in.BillingMode == nil || onDemand == set.OnDemandBilling {
		return false
	}
	set.OnDemandBilling, set.OnDemand = onDemand, table.OnDemand{}
	set.Throughput.Read, set.Throughput.Write = 0, 0
	if onDemand {
		set.OnDemandSince = u.now
		set.Warm = warmth(set.Warm, true, set.Throughput)
	}
	for i := range d.Indexes {
		ix := &d.Indexes[i]
		if ix.Local {
			continue
		}
		ix.OnDemand, ix.Throughput.Read, ix.Throughput.Write = table.OnDemand{}, 0, 0
		if onDemand {
			ix.Warm = warmth(ix.Warm, true, ix.Throughput)
		}
	}
	return true
}

// changeUnits changes the table's provisioned throughput.
func (u *tableUpdate) changeUnits(d *table.Definition, switched bool) (err error) {
	p := u.in.ProvisionedThroughput
	if p == nil {
		return nil
	}
	set := &d.Settings
	if set.OnDemandBilling {
		return errUnitsOnDemand()
	}
	if set.Throughput, err = scope("").newUnits(set.Throughput, p, switched, u.now); err != nil {
		return err
	}
	set.Warm = warmth(set.Warm, false, set.Throughput)
	return nil
}

// newUnits returns old with the units of p. With a switch of the billing mode they are as for a new table.
func (s scope) newUnits(old table.Throughput, p *ddb.ProvisionedThroughput, switched bool, now time.Time) (table.Throughput, error) {
	if switched {
		old.Read, old.Write = *p.ReadCapacityUnits, *p.WriteCapacityUnits
		return old, nil
	}
	return s.changeThroughput(old, p, now)
}

func (u *tableUpdate) changeCaps(d *table.Definition) (err error) {
	if u.in.OnDemandThroughput == nil {
		return nil
	}
	if !d.Settings.OnDemandBilling {
		return errOnDemandCaps(u.in.OnDemandThroughput)
	}
	d.Settings.OnDemand, err = scope("").mergeOnDemand(d.Settings.OnDemand, u.in.OnDemandThroughput, true)
	return err
}

// A table's class can be changed so many times within this time.
const (
	classChanges = 2
	classPeriod  = 30 * 24 * time.Hour
)

func changeClass(set *table.Settings, class string, now time.Time) error {
	if class == cmp.Or(set.Class, "STANDARD") {
		return nil
	}
	recent := slices.DeleteFunc(slices.Clone(set.ClassChanges), func(t time.Time) bool { return !now.Before(t.Add(classPeriod)) })
	if len(recent) >= classChanges {
		return limitExceeded("Updates to TableClass are limited to %d times in %d day(s).", classChanges, int(classPeriod.Hours()/24))
	}
	set.Class, set.ClassChanges = class, append(recent, now)
	return nil
}
