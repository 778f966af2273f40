package dynamodb

import (
	"fmt"
	"strings"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/table"
)

// checkIndexesFree words what stands in the way of actions on the indexes of a table that is UPDATING because of these very indexes.
func checkIndexesFree(d *table.Definition, updates []ddb.GlobalSecondaryIndexUpdate) error {
	if d == nil || d.Status != table.Updating {
		return nil
	}
	for i := range updates {
		up := &updates[i]
		name, _ := actionOn(up)
		switch ix := d.Index(name); {
		case ix == nil:
		case up.Delete != nil && ix.Status == table.Creating && !ix.Backfilling:
			return inUse("Index creation is in resource allocation phase. Retry deletion during backfilling phase or when the index is active. "+
				"Table: %s Index: %s", d.Name, name)
		case up.Create == nil && d.Changing(ix), up.Update != nil && ix.Status != table.Active:
			return inUse("Index is being updated. Table: %s Index: %s", d.Name, name)
		}
	}
	return nil
}

// changeIndexes does the actions on global indexes.
func (u *tableUpdate) changeIndexes(d *table.Definition, switched bool) error {
	if err := u.checkSwitch(d, switched); err != nil {
		return err
	}
	for i := range u.in.GlobalSecondaryIndexUpdates {
		var err error
		switch up := &u.in.GlobalSecondaryIndexUpdates[i]; {
		case up.Update != nil:
			err = u.changeIndex(d, up.Update, switched)
		case up.Create != nil:
			err = u.createIndex(d, up.Create)
		case up.Delete != nil:
			err = deleteIndex(d, *up.Delete.IndexName)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkSwitch checks that a switch to provisioned throughput gives every global index its own.
func (u *tableUpdate) checkSwitch(d *table.Definition, switched bool) error {
	if !switched || d.Settings.OnDemandBilling {
		return nil
	}
	provided := map[string]bool{}
	for i := range u.in.GlobalSecondaryIndexUpdates {
		up := &u.in.GlobalSecondaryIndexUpdates[i]
		index, _ := actionOn(up)
		provided[index] = up.Update == nil || up.Update.ProvisionedThroughput != nil
	}
	var missing []string
	for i := range d.Indexes {
		if ix := &d.Indexes[i]; !ix.Local && !provided[ix.Name] {
			missing = append(missing, ix.Name)
		}
	}
	if missing != nil {
		return invalid("ProvisionedThroughput must be specified for index: %s", strings.Join(missing, ","))
	}
	return nil
}

// globalIndex finds the index that an action is to change; verb is for the text.
func globalIndex(d *table.Definition, name, verb string) (*table.Index, error) {
	ix := d.Index(name)
	switch {
	case ix == nil:
		return nil, api.Errorf("ResourceNotFoundException", "Requested resource not found: Index %s for table %s", name, d.Name)
	case ix.Local:
		return nil, api.Invalid("Cannot %s an index that is not a GlobalSecondaryIndex: %s", verb, name)
	}
	return ix, nil
}

// changeIndex changes the throughput of an index, of the kinds that fit the billing mode.
func (u *tableUpdate) changeIndex(d *table.Definition, sent *ddb.UpdateGlobalSecondaryIndexAction, switched bool) error {
	ix, err := globalIndex(d, *sent.IndexName, "update")
	if err != nil {
		return err
	}
	of, onDemand := scope(ix.Name), d.Settings.OnDemandBilling
	p, caps := sent.ProvisionedThroughput, sent.OnDemandThroughput
	switch {
	case p == nil && caps == nil && sent.WarmThroughput == nil:
		return invalid("At least one of ProvisionedThroughput, OnDemandThroughput or WarmThroughput must be specified for index: %s", ix.Name)
	case caps != nil && !onDemand:
		return errOnDemandCaps(caps)
	}
	if p != nil {
		if err := of.checkIndexBilling(onDemand, p); err != nil {
			return err
		}
		if ix.Throughput, err = of.newUnits(ix.Throughput, p, switched, u.now); err != nil {
			return err
		}
		ix.Warm = warmth(ix.Warm, false, ix.Throughput)
	}
	if ix.OnDemand, err = of.mergeOnDemand(ix.OnDemand, caps, true); err != nil {
		return err
	}
	ix.Warm, err = of.raiseWarm(ix.Warm, sent.WarmThroughput)
	return err
}

// createIndex appends a new index. Its key attributes must all be declared, again if they are known; other declarations
// are ignored.
func (u *tableUpdate) createIndex(d *table.Definition, sent *ddb.CreateGlobalSecondaryIndexAction) error {
	if d.Index(*sent.IndexName) != nil {
		return api.Invalid("Attempting to create an index which already exists")
	}
	types, err := declaredTypes(u.in.AttributeDefinitions)
	if err != nil {
		return err
	}
	before := *d
	if err := defineGlobal(d, types, sent); err != nil {
		return err
	}
	made := &d.Indexes[len(d.Indexes)-1]
	if err := checkRedefined(&before, made.Schema); err != nil {
		return err
	}
	if countGlobals(d) > maxGlobals {
		return limitExceeded("Number of global secondary indexes exceeds per-table limit of %d", maxGlobals)
	}
	return checkProjected(d.Indexes)
}

func countGlobals(d *table.Definition) (n int) {
	for i := range d.Indexes {
		if !d.Indexes[i].Local {
			n++
		}
	}
	return n
}

// checkRedefined checks that the attributes of a new index's key have the types that they have in the keys there are.
func checkRedefined(d *table.Definition, made table.Schema) error {
	schemas := []table.Schema{d.Schema}
	for i := range d.Indexes {
		schemas = append(schemas, d.Indexes[i].Schema)
	}
	for _, a := range made.All() {
		for _, old := range schemas {
			if was, ok := old.Find(a.Name); ok && was.Type != a.Type {
				return invalid("Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. "+
					"Existing schema: %s New schema: %s", schemaText(old), schemaText(made))
			}
		}
	}
	return nil
}

// schemaText prints a key schema as the service does in that text.
func schemaText(s table.Schema) string {
	var parts []string
	for i, a := range s.All() {
		role := "HASH"
		if i >= len(s.Partition) {
			role = "RANGE"
		}
		parts = append(parts, fmt.Sprintf("SchemaElement: key{%s:%s:%s}", a.Name, a.Type, role))
	}
	return "Schema:" + bracketed(parts)
}

func deleteIndex(d *table.Definition, name string) error {
	ix, err := globalIndex(d, name, "delete")
	if err != nil {
		return err
	}
	ix.Status = table.Deleting
	return nil
}
