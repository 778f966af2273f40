package dynamodb

import (
	"slices"
	"time"

	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/lifecycle"
	"github.com/grammedb/gramme/internal/db/table"
)

// describe shapes what clients see of a table. sizes holds those of the table and its indexes by number; nil: all are 0.
func (s *Service) describe(d *table.Definition, sizes map[uint16]lifecycle.Size) *ddb.TableDescription {
	set, now := &d.Settings, s.Now()
	td := &ddb.TableDescription{
		TableName:                 new(d.Name),
		AttributeDefinitions:      attributeDefinitions(d),
		KeySchema:                 keySchema(d.Schema),
		TableStatus:               new(string(d.Status)),
		CreationDateTime:          new(d.Created),
		ProvisionedThroughput:     describeThroughput(d, nil, now),
		TableSizeBytes:            new(sizes[0].Bytes),
		ItemCount:                 new(sizes[0].Items),
		TableArn:                  new(d.ARN()),
		TableId:                   new(d.ID),
		BillingModeSummary:        describeBilling(d),
		TableClassSummary:         describeClass(set),
		DeletionProtectionEnabled: new(set.DeletionProtection),
		OnDemandThroughput:        describeOnDemand(set.OnDemand),
		WarmThroughput: &ddb.TableWarmThroughputDescription{
			ReadUnitsPerSecond: new(set.Warm.Read), WriteUnitsPerSecond: new(set.Warm.Write), Status: new("ACTIVE"),
		},
	}
	if d.Status == table.Deleting {
		return td
	}
	showStream(td, d)
	for i := range d.Indexes {
		ix := &d.Indexes[i]
		if ix.Local {
			td.LocalSecondaryIndexes = append(td.LocalSecondaryIndexes, describeLocal(d, ix, sizes[ix.Number]))
		} else {
			td.GlobalSecondaryIndexes = append(td.GlobalSecondaryIndexes, describeGlobal(d, ix, sizes[ix.Number], now))
		}
	}
	return td
}

func describeLocal(d *table.Definition, ix *table.Index, size lifecycle.Size) ddb.LocalSecondaryIndexDescription {
	return ddb.LocalSecondaryIndexDescription{
		IndexName:      new(ix.Name),
		KeySchema:      keySchema(ix.Schema),
		Projection:     describeProjection(ix.Projection),
		IndexSizeBytes: new(size.Bytes),
		ItemCount:      new(size.Items),
		IndexArn:       new(indexARN(d, ix)),
	}
}

func describeGlobal(d *table.Definition, ix *table.Index, size lifecycle.Size, now time.Time) ddb.GlobalSecondaryIndexDescription {
	g := ddb.GlobalSecondaryIndexDescription{
		IndexName:             new(ix.Name),
		KeySchema:             keySchema(ix.Schema),
		Projection:            describeProjection(ix.Projection),
		IndexStatus:           new(string(indexStatus(d, ix))),
		ProvisionedThroughput: describeThroughput(d, ix, now),
		IndexSizeBytes:        new(size.Bytes),
		ItemCount:             new(size.Items),
		IndexArn:              new(indexARN(d, ix)),
		OnDemandThroughput:    describeOnDemand(ix.OnDemand),
		WarmThroughput: &ddb.GlobalSecondaryIndexWarmThroughputDescription{
			ReadUnitsPerSecond: new(ix.Warm.Read), WriteUnitsPerSecond: new(ix.Warm.Write), Status: new("ACTIVE"),
		},
	}
	if ix.Status == table.Creating && d.Status != table.Creating {
		g.Backfilling = new(ix.Backfilling)
	}
	return g
}

// indexStatus is UPDATING while new settings of the index are pending.
func indexStatus(d *table.Definition, ix *table.Index) table.Status {
	if ix.Status == table.Active && d.Changing(ix) {
		return table.Updating
	}
	return ix.Status
}

func indexARN(d *table.Definition, ix *table.Index) string { return d.ARN() + "/index/" + ix.Name }

func attributeDefinitions(d *table.Definition) []ddb.AttributeDefinition {
	var defs []ddb.AttributeDefinition
	for _, a := range d.Attributes() {
		defs = append(defs, ddb.AttributeDefinition{AttributeName: new(a.Name), AttributeType: new(a.Type.String())})
	}
	return defs
}

func keySchema(s table.Schema) []ddb.KeySchemaElement {
	var keys []ddb.KeySchemaElement
	for _, a := range s.Partition {
		keys = append(keys, ddb.KeySchemaElement{AttributeName: new(a.Name), KeyType: new("HASH")})
	}
	for _, a := range s.Sort {
		keys = append(keys, ddb.KeySchemaElement{AttributeName: new(a.Name), KeyType: new("RANGE")})
	}
	return keys
}

func describeProjection(p table.Projection) *ddb.Projection {
	return &ddb.Projection{ProjectionType: new(p.Type), NonKeyAttributes: slices.Sorted(slices.Values(p.NonKey))}
}

// describeThroughput tells the throughput of the table, or of its index ix if that is not nil. Of a change on its way the time shows
// already; the units do only where they come with a new billing mode.
func describeThroughput(d *table.Definition, ix *table.Index, now time.Time) *ddb.ProvisionedThroughputDescription {
	t := d.Settings.Throughput
	if ix != nil {
		t = ix.Throughput
	}
	onDemand, next := d.Coming(ix)
	if onDemand != d.Settings.OnDemandBilling {
		t = next
	}
	return &ddb.ProvisionedThroughputDescription{
		LastIncreaseDateTime:   moment(next.LastIncrease),
		LastDecreaseDateTime:   moment(next.LastDecrease),
		NumberOfDecreasesToday: new(decreasesToday(t, now)),
		ReadCapacityUnits:      new(t.Read),
		WriteCapacityUnits:     new(t.Write),
	}
}

// describeBilling tells the billing mode of a table that is or was on demand, and since when it last was once that is in force.
func describeBilling(d *table.Definition) *ddb.BillingModeSummary {
	onDemand, _ := d.Coming(nil)
	since := moment(d.Settings.OnDemandSince)
	if !onDemand && since == nil {
		return nil
	}
	if d.Status == table.Creating {
		since = nil
	}
	mode := "PROVISIONED"
	if onDemand {
		mode = "PAY_PER_REQUEST"
	}
	return &ddb.BillingModeSummary{BillingMode: &mode, LastUpdateToPayPerRequestDateTime: since}
}

func describeClass(set *table.Settings) *ddb.TableClassSummary {
	if set.Class == "" {
		return nil
	}
	sum := &ddb.TableClassSummary{TableClass: new(set.Class)}
	if n := len(set.ClassChanges); n > 0 {
		sum.LastUpdateDateTime = new(set.ClassChanges[n-1])
	}
	return sum
}

func describeOnDemand(o table.OnDemand) *ddb.OnDemandThroughput {
	if o == (table.OnDemand{}) {
		return nil
	}
	return &ddb.OnDemandThroughput{MaxReadRequestUnits: unlessZero(o.MaxRead), MaxWriteRequestUnits: unlessZero(o.MaxWrite)}
}

func unlessZero(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
