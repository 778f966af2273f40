package dynamodb

import (
	"cmp"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
)

// checkTableUpdate checks what a request says by itself: which members go together, and what each action on an index is.
func checkTableUpdate(in *ddb.UpdateTableInput) error {
	if err := checkTogether(in); err != nil {
		return err
	}
	if err := checkModeChange(in); err != nil {
		return err
	}
	if err := checkActions(in); err != nil {
		return err
	}
	if err := checkStream(in.StreamSpecification); err != nil {
		return err
	}
	return refuseOnUpdate(in)
}

// checkTogether checks that something is to be changed, and nothing beside what must be changed alone.
func checkTogether(in *ddb.UpdateTableInput) error {
	sent, sole := sentChanges(in)
	switch {
	case sent == 0:
		return api.Invalid("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, " +
			"SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, " +
			"DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required")
	case sent > 1 && sole != "":
		return invalid("%s must be the only operation in the request", sole)
	case in.OnDemandThroughput != nil && (sent > 2 || sent == 2 && in.BillingMode == nil):
		return invalid("OnDemandThroughput can only be combined with BillingMode in an UpdateTable request")
	case in.StreamSpecification != nil && in.ProvisionedThroughput != nil:
		return invalid("You cannot modify stream status while updating table IOPS")
	}
	return nil
}

// sentChanges counts the changes in a request and returns what texts call the first one that must be alone, "" if none must.
func sentChanges(in *ddb.UpdateTableInput) (n int, sole string) {
	for _, change := range []struct {
		sent bool
		sole string
	}{
		{in.SSESpecification != nil, "Server-Side Encryption modification"},
		{in.TableClass != nil, "TableClass modification"},
		{in.DeletionProtectionEnabled != nil, "DeletionProtection modification"},
		{in.ReplicaUpdates != nil, "Replica modification"},
		{in.WarmThroughput != nil, "WarmThroughput"},
		{in.ProvisionedThroughput != nil, ""},
		{in.BillingMode != nil, ""},
		{len(in.GlobalSecondaryIndexUpdates) > 0, ""},
		{in.StreamSpecification != nil, ""},
		{in.OnDemandThroughput != nil, ""},
		{in.MultiRegionConsistency != nil, ""},
		{in.GlobalTableWitnessUpdates != nil, ""},
		{in.GlobalTableSettingsReplicationMode != nil, ""},
	} {
		if change.sent {
			n, sole = n+1, cmp.Or(sole, change.sole)
		}
	}
	return n, sole
}

func checkModeChange(in *ddb.UpdateTableInput) error {
	switch p := in.ProvisionedThroughput; {
	case is(in.BillingMode, "PAY_PER_REQUEST") && p != nil:
		return errUnitsOnDemand()
	case is(in.BillingMode, "PROVISIONED") && p == nil:
		return invalid("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
	}
	return scope("").checkBounds(in.ProvisionedThroughput)
}

// checkActions checks the form of the actions on indexes.
func checkActions(in *ddb.UpdateTableInput) error {
	seen := map[string]bool{}
	built := 0
	for i := range in.GlobalSecondaryIndexUpdates {
		up := &in.GlobalSecondaryIndexUpdates[i]
		index, actions := actionOn(up)
		switch {
		case actions == 0:
			return invalid("One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null")
		case actions > 1:
			return invalid("Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object")
		case seen[index]:
			return invalid("Only one global secondary index update per index is allowed simultaneously. Index: %s", index)
		}
		seen[index] = true
		if up.Update == nil {
			built++
		}
	}
	switch {
	case built > 0 && in.ProvisionedThroughput != nil:
		return invalid("You cannot create or delete index while updating table IOPS")
	case built > 0 && in.StreamSpecification != nil:
		return invalid("You cannot create or delete index while changing stream status")
	case built > 1:
		return limitExceeded("Only 1 online index can be created or deleted simultaneously per table")
	}
	return nil
}

// actionOn returns the index that an update is about and how many actions it holds.
func actionOn(up *ddb.GlobalSecondaryIndexUpdate) (index string, actions int) {
	if up.Update != nil {
		index, actions = *up.Update.IndexName, actions+1
	}
	if up.Create != nil {
		index, actions = *up.Create.IndexName, actions+1
	}
	if up.Delete != nil {
		index, actions = *up.Delete.IndexName, actions+1
	}
	return index, actions
}

// refuseOnUpdate refuses what is not built yet.
func refuseOnUpdate(in *ddb.UpdateTableInput) error {
	return refuse(
		unbuilt{"SSESpecification", encrypts(in.SSESpecification)},
		unbuilt{"ReplicaUpdates", in.ReplicaUpdates != nil},
		unbuilt{"MultiRegionConsistency", in.MultiRegionConsistency != nil},
		unbuilt{"GlobalTableWitnessUpdates", in.GlobalTableWitnessUpdates != nil},
		unbuilt{"GlobalTableSettingsReplicationMode", in.GlobalTableSettingsReplicationMode != nil},
	)
}
