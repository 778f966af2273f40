package dynamodb

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/table"
)

func (s *Service) createTable(ctx context.Context, c *api.Call, in *ddb.CreateTableInput) (*ddb.CreateTableOutput, error) {
	name, err := tableName(c, *in.TableName)
	if err != nil {
		return nil, err
	}
	d := &table.Definition{Account: name.Account, Region: name.Region, Name: name.Table}
	if err := defineTable(d, in); err != nil {
		return nil, err
	}
	if err := checkTableQuotas(d, table.Throughput{}); err != nil {
		return nil, err
	}
	if err := defineStream(d, in.StreamSpecification); err != nil {
		return nil, err
	}
	if err := refuseOnCreate(in); err != nil {
		return nil, err
	}
	if d, err = s.Lifecycle.Create(ctx, d); err != nil {
		return nil, err
	}
	return &ddb.CreateTableOutput{TableDescription: newlyCreated(in, s.describe(d, nil))}, nil
}

// newlyCreated shapes the answer: warm throughput is told only where it was asked for.
func newlyCreated(in *ddb.CreateTableInput, td *ddb.TableDescription) *ddb.TableDescription {
	if in.WarmThroughput == nil {
		td.WarmThroughput = nil
	}
	for i := range in.GlobalSecondaryIndexes {
		if in.GlobalSecondaryIndexes[i].WarmThroughput == nil {
			td.GlobalSecondaryIndexes[i].WarmThroughput = nil
		}
	}
	return td
}

// defineTable fills d with what the request wants. The order of the checks is the service's.
func defineTable(d *table.Definition, in *ddb.CreateTableInput) error {
	onDemand := is(in.BillingMode, "PAY_PER_REQUEST")
	if err := checkBilling(onDemand, in.ProvisionedThroughput); err != nil {
		return err
	}
	types, err := declaredTypes(in.AttributeDefinitions)
	if err != nil {
		return err
	}
	if d.Schema, err = types.tableSchema(in.KeySchema); err != nil {
		return err
	}
	d.Settings.OnDemandBilling = onDemand
	if err := defineLocals(d, types, in); err != nil {
		return err
	}
	if err := defineGlobals(d, types, in); err != nil {
		return err
	}
	if err := types.checkAllUsed(d); err != nil {
		return err
	}
	if err := checkProjected(d.Indexes); err != nil {
		return err
	}
	return defineSettings(d, in)
}

func checkBilling(onDemand bool, p *ddb.ProvisionedThroughput) error {
	switch {
	case onDemand && p != nil:
		return errUnitsOnDemand()
	case !onDemand && p == nil:
		return invalid("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	}
	return scope("").checkBounds(p)
}

// manyIndexes is how many indexes of a kind are looked at one by one before it is told that there are too many.
const manyIndexes = 1000

func defineLocals(d *table.Definition, types *attributeTypes, in *ddb.CreateTableInput) (err error) {
	if in.LocalSecondaryIndexes != nil && len(in.LocalSecondaryIndexes) == 0 {
		return invalid("List of LocalSecondaryIndexes is empty")
	}
	for _, sent := range in.LocalSecondaryIndexes[:min(len(in.LocalSecondaryIndexes), manyIndexes)] {
		ix := table.Index{Name: *sent.IndexName, Local: true}
		if ix.Schema, err = types.localSchema(ix.Name, sent.KeySchema, d.Schema); err != nil {
			return err
		}
		if err := addIndex(d, ix, sent.Projection); err != nil {
			return err
		}
	}
	if len(d.Indexes) > maxLocals {
		return invalid("Number of LocalSecondaryIndexes exceeds per-table limit of %d", maxLocals)
	}
	return nil
}

func defineGlobals(d *table.Definition, types *attributeTypes, in *ddb.CreateTableInput) error {
	if in.GlobalSecondaryIndexes != nil && len(in.GlobalSecondaryIndexes) == 0 {
		return invalid("List of GlobalSecondaryIndexes is empty")
	}
	for i := range min(len(in.GlobalSecondaryIndexes), manyIndexes) {
		sent := ddb.CreateGlobalSecondaryIndexAction(in.GlobalSecondaryIndexes[i])
		if err := defineGlobal(d, types, &sent); err != nil {
			return err
		}
	}
	if len(in.GlobalSecondaryIndexes) > maxGlobals {
		return invalid("GlobalSecondaryIndex count exceeds the per-table limit of %d", maxGlobals)
	}
	return nil
}

// defineGlobal appends a global index to d.
func defineGlobal(d *table.Definition, types *attributeTypes, sent *ddb.CreateGlobalSecondaryIndexAction) (err error) {
	onDemand, of := d.Settings.OnDemandBilling, scope(*sent.IndexName)
	if err := of.checkIndexBilling(onDemand, sent.ProvisionedThroughput); err != nil {
		return err
	}
	ix := table.Index{Name: *sent.IndexName, Throughput: throughput(sent.ProvisionedThroughput)}
	if ix.Schema, err = types.globalSchema(sent.KeySchema); err != nil {
		return err
	}
	if !onDemand && sent.OnDemandThroughput != nil {
		return errOnDemandCaps(sent.OnDemandThroughput)
	}
	if ix.OnDemand, err = of.mergeOnDemand(ix.OnDemand, sent.OnDemandThroughput, false); err != nil {
		return err
	}
	if ix.Warm, err = of.raiseWarm(warmth(ix.Warm, onDemand, ix.Throughput), sent.WarmThroughput); err != nil {
		return err
	}
	return addIndex(d, ix, sent.Projection)
}

// defineSettings fills in what is not about keys.
func defineSettings(d *table.Definition, in *ddb.CreateTableInput) (err error) {
	set := &d.Settings
	set.Throughput = throughput(in.ProvisionedThroughput)
	if !set.OnDemandBilling && in.OnDemandThroughput != nil {
		return errOnDemandCaps(in.OnDemandThroughput)
	}
	if set.OnDemand, err = scope("").mergeOnDemand(set.OnDemand, in.OnDemandThroughput, false); err != nil {
		return err
	}
	if set.Warm, err = scope("").raiseWarm(warmth(set.Warm, set.OnDemandBilling, set.Throughput), in.WarmThroughput); err != nil {
		return err
	}
	if in.TableClass != nil {
		set.Class = *in.TableClass
	}
	set.DeletionProtection = isTrue(in.DeletionProtectionEnabled)
	d.Tags, err = mergeTags(nil, in.Tags)
	return err
}

// refuseOnCreate refuses what is not built yet.
func refuseOnCreate(in *ddb.CreateTableInput) error {
	return refuse(
		unbuilt{"SSESpecification", encrypts(in.SSESpecification)},
		unbuilt{"ResourcePolicy", in.ResourcePolicy != nil},
		unbuilt{"GlobalTableSourceArn", in.GlobalTableSourceArn != nil},
		unbuilt{"GlobalTableSettingsReplicationMode", in.GlobalTableSettingsReplicationMode != nil},
	)
}

// An unbuilt member switches on what does not exist here yet.
type unbuilt struct {
	member string
	sent   bool
}

func refuse(members ...unbuilt) error {
	for _, m := range members {
		if m.sent {
			return invalid("%s is not supported", m.member)
		}
	}
	return nil
}

// encrypts reports whether a specification asks for a key other than the one that the service owns.
func encrypts(sse *ddb.SSESpecification) bool {
	return sse != nil && (isTrue(sse.Enabled) || sse.SSEType != nil || sse.KMSMasterKeyId != nil)
}
