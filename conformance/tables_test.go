package conformance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestTableLife(t *testing.T) {
	t.Parallel()
	in := tableInput(keys("pk:S", "sk:N"))
	created, err := db.CreateTable(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	dropLater(t, *in.TableName)
	if d := created.TableDescription; d.TableStatus != types.TableStatusCreating || *d.TableName != *in.TableName {
		t.Errorf("CreateTable answers %s %s", *d.TableName, d.TableStatus)
	}
	_, err = db.CreateTable(t.Context(), in)
	if err == nil {
		t.Error("the table was made twice")
	}
	if err := dynamodb.NewTableExistsWaiter(db, fastPolls).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: in.TableName}, maxWait); err != nil {
		t.Fatal("TableExistsWaiter:", err)
	}
	_, err = db.CreateTable(t.Context(), in)
	wantError(t, err, "ResourceInUseException", "Table already exists: "+*in.TableName)
	first := describe(t, *in.TableName)

	deleted, err := db.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: in.TableName})
	if err != nil {
		t.Fatal(err)
	}
	if s := deleted.TableDescription.TableStatus; s != types.TableStatusDeleting {
		t.Errorf("DeleteTable answers %s", s)
	}
	if err := dynamodb.NewTableNotExistsWaiter(db, fastPollsAbsent).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: in.TableName}, maxWait); err != nil {
		t.Fatal("TableNotExistsWaiter:", err)
	}
	_, err = db.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: in.TableName})
	wantError(t, err, "ResourceNotFoundException", "Requested resource not found: Table: "+*in.TableName+" not found")

	if _, err = db.CreateTable(t.Context(), in); err != nil {
		t.Fatal("the name is not free again:", err)
	}
	second := waitActive(t, *in.TableName)
	if *first.TableId == *second.TableId || *first.TableArn != *second.TableArn {
		t.Errorf("ids %s and %s, ARNs %s and %s", *first.TableId, *second.TableId, *first.TableArn, *second.TableArn)
	}
}

func fastPolls(o *dynamodb.TableExistsWaiterOptions) {
	o.MinDelay, o.MaxDelay = pollInterval(), 2*time.Second
}

func fastPollsAbsent(o *dynamodb.TableNotExistsWaiterOptions) {
	o.MinDelay, o.MaxDelay = pollInterval(), 2*time.Second
}

// A table that is made anew has nothing of the one before it.
func TestTableMadeAnewIsEmpty(t *testing.T) {
	t.Parallel()
	in := tableInput(keys("pk:S"), gsi("byA", "a:S"))
	for round := range 2 {
		if _, err := db.CreateTable(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			dropLater(t, *in.TableName)
		}
		waitActive(t, *in.TableName)
		if n := len(scanAll(t, &dynamodb.ScanInput{TableName: in.TableName})); n != 0 {
			t.Fatalf("round %d starts with %d items", round, n)
		}
		if n := len(scanAll(t, &dynamodb.ScanInput{TableName: in.TableName, IndexName: aws.String("byA")})); n != 0 {
			t.Fatalf("round %d starts with %d entries", round, n)
		}
		put(t, *in.TableName, item{"pk": str("x"), "a": str("y")})
		if round == 0 {
			drop(t, *in.TableName)
		}
	}
}

// drop deletes the table and waits until it is gone.
func drop(t testing.TB, name string) {
	t.Helper()
	if _, err := db.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
		t.Fatal("DeleteTable:", err)
	}
	if err := dynamodb.NewTableNotExistsWaiter(db, fastPollsAbsent).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &name}, maxWait); err != nil {
		t.Fatal("TableNotExistsWaiter:", err)
	}
}

func TestTableNames(t *testing.T) {
	t.Parallel()
	d := describe(t, newTable(t, keys("pk:S"), gsi("byA", "a:S")))
	arn := regexp.MustCompile(`^arn:aws:dynamodb:` + cfg.Region + `:\d{12}:table/` + *d.TableName + `$`)
	if !arn.MatchString(*d.TableArn) {
		t.Errorf("TableArn %s", *d.TableArn)
	}
	if id := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`); !id.MatchString(*d.TableId) {
		t.Errorf("TableId %s", *d.TableId)
	}
	if got := *d.GlobalSecondaryIndexes[0].IndexArn; got != *d.TableArn+"/index/byA" {
		t.Errorf("IndexArn %s", got)
	}
	if age := time.Since(*d.CreationDateTime); age < -time.Minute || age > time.Hour {
		t.Errorf("CreationDateTime %v", d.CreationDateTime)
	}
}

// The ARN of a table serves where its name does.
func TestTableByARN(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	arn := *describe(t, table).TableArn
	put(t, arn, item{"pk": str("a"), "v": num("1")})
	wantItem(t, get(t, table, key("a")), item{"pk": str("a"), "v": num("1")})
	wantItem(t, get(t, arn, key("a")), item{"pk": str("a"), "v": num("1")})
	if d := describe(t, arn); *d.TableName != table {
		t.Errorf("DescribeTable answers %s", *d.TableName)
	}
	out, err := db.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{
		RequestItems: map[string]types.KeysAndAttributes{arn: {Keys: []item{key("a")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Responses[arn]) != 1 {
		t.Errorf("BatchGetItem answers %v", out.Responses)
	}
}

func TestListTables(t *testing.T) {
	t.Parallel()
	var want []string
	for range 5 {
		want = append(want, newTable(t, keys("pk:S")))
	}
	slices.Sort(want)
	var got, all []string
	pages := dynamodb.NewListTablesPaginator(db, &dynamodb.ListTablesInput{Limit: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(page.TableNames) > 2 {
			t.Errorf("a page of %d", len(page.TableNames))
		}
		all = append(all, page.TableNames...)
	}
	if !slices.IsSorted(all) {
		t.Errorf("not sorted: %s", all)
	}
	for _, name := range all {
		if slices.Contains(want, name) {
			got = append(got, name)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	// A name to start after need not be one of a table.
	out, err := db.ListTables(t.Context(), &dynamodb.ListTablesInput{ExclusiveStartTableName: aws.String(want[3] + ".")})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(out.TableNames, want[3]) || !slices.Contains(out.TableNames, want[4]) {
		t.Errorf("after %s.: %s", want[3], out.TableNames)
	}
}

func TestDeletionProtection(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"), func(in *dynamodb.CreateTableInput) { in.DeletionProtectionEnabled = aws.Bool(true) })
	t.Cleanup(func() {
		if _, err := db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &table, DeletionProtectionEnabled: aws.Bool(false)}); err == nil {
			t.Log("the test ended with a protected table")
		}
	})
	if !*describe(t, table).DeletionProtectionEnabled {
		t.Error("not protected")
	}
	_, err := db.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &table})
	wantError(t, err, invalid, "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	out, err := db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &table, DeletionProtectionEnabled: aws.Bool(false)})
	if err != nil {
		t.Fatal(err)
	}
	if s := out.TableDescription.TableStatus; s != types.TableStatusActive {
		t.Errorf("status %s", s)
	}
	waitTable(t, table, func(d *types.TableDescription) bool { return !*d.DeletionProtectionEnabled })
	drop(t, table)
}

func TestChangeThroughput(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"), gsi("byA", "a:S"), provisioned(3, 4))
	out, err := db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: &table, ProvisionedThroughput: throughput(5, 6),
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{
			{Update: &types.UpdateGlobalSecondaryIndexAction{IndexName: aws.String("byA"), ProvisionedThroughput: throughput(7, 8)}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := out.TableDescription; d.TableStatus != types.TableStatusUpdating || *d.ProvisionedThroughput.ReadCapacityUnits != 3 {
		t.Errorf("UpdateTable answers %s with %d read units", d.TableStatus, *d.ProvisionedThroughput.ReadCapacityUnits)
	}
	d := waitActive(t, table)
	wantUnits(t, "table", d.ProvisionedThroughput, 5, 6)
	wantUnits(t, "index", d.GlobalSecondaryIndexes[0].ProvisionedThroughput, 7, 8)
	if d.ProvisionedThroughput.LastIncreaseDateTime == nil {
		t.Error("no LastIncreaseDateTime")
	}
	if _, err = db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &table, ProvisionedThroughput: throughput(2, 6)}); err != nil {
		t.Fatal(err)
	}
	d = waitActive(t, table)
	wantUnits(t, "table", d.ProvisionedThroughput, 2, 6)
	if n := *d.ProvisionedThroughput.NumberOfDecreasesToday; n != 1 || d.ProvisionedThroughput.LastDecreaseDateTime == nil {
		t.Errorf("%d decreases, the last at %v", n, d.ProvisionedThroughput.LastDecreaseDateTime)
	}
}

func wantUnits(t *testing.T, what string, p *types.ProvisionedThroughputDescription, read, write int64) {
	t.Helper()
	if *p.ReadCapacityUnits != read || *p.WriteCapacityUnits != write {
		t.Errorf("%s: %d and %d units, want %d and %d", what, *p.ReadCapacityUnits, *p.WriteCapacityUnits, read, write)
	}
}

func TestChangeBillingMode(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"), gsi("byA", "a:S"), provisioned(3, 4))
	if d := describe(t, table); d.BillingModeSummary != nil {
		t.Errorf("BillingModeSummary %v on a table that was never on-demand", d.BillingModeSummary)
	}
	if _, err := db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &table, BillingMode: types.BillingModePayPerRequest}); err != nil {
		t.Fatal(err)
	}
	d := waitActive(t, table)
	if d.BillingModeSummary == nil || d.BillingModeSummary.BillingMode != types.BillingModePayPerRequest {
		t.Errorf("BillingModeSummary %v", d.BillingModeSummary)
	}
	wantUnits(t, "table", d.ProvisionedThroughput, 0, 0)
	wantUnits(t, "index", d.GlobalSecondaryIndexes[0].ProvisionedThroughput, 0, 0)

	_, err := db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &table, BillingMode: types.BillingModeProvisioned})
	wantError(t, err, invalid, "One or more parameter values were invalid: ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
	_, err = db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &table, BillingMode: types.BillingModeProvisioned, ProvisionedThroughput: throughput(1, 2)})
	wantError(t, err, invalid, "One or more parameter values were invalid: ProvisionedThroughput must be specified for index: byA")
	_, err = db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: &table, BillingMode: types.BillingModeProvisioned, ProvisionedThroughput: throughput(1, 2),
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{
			{Update: &types.UpdateGlobalSecondaryIndexAction{IndexName: aws.String("byA"), ProvisionedThroughput: throughput(3, 4)}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	d = waitActive(t, table)
	wantUnits(t, "table", d.ProvisionedThroughput, 1, 2)
	wantUnits(t, "index", d.GlobalSecondaryIndexes[0].ProvisionedThroughput, 3, 4)
	if d.BillingModeSummary == nil || d.BillingModeSummary.BillingMode != types.BillingModeProvisioned {
		t.Errorf("BillingModeSummary %v", d.BillingModeSummary)
	}
}

func TestTableClass(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	if c := describe(t, table).TableClassSummary; c != nil {
		t.Errorf("an untouched table has the class %s", c.TableClass)
	}
	if _, err := db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &table, TableClass: types.TableClassStandardInfrequentAccess}); err != nil {
		t.Fatal(err)
	}
	d := waitActive(t, table)
	if d.TableClassSummary == nil || d.TableClassSummary.TableClass != types.TableClassStandardInfrequentAccess {
		t.Errorf("class %v", d.TableClassSummary)
	}
}

// A table has at most 20 global and 5 local indexes.
func TestIndexLimits(t *testing.T) {
	t.Parallel()
	indexes := func(globals, locals int) []trait {
		traits := []trait{keys("pk:S", "sk:S")}
		for i := range locals {
			traits = append(traits, lsi(fmt.Sprintf("local%d", i), fmt.Sprintf("l%d:S", i)))
		}
		for i := range globals {
			traits = append(traits, gsi(fmt.Sprintf("global%d", i), fmt.Sprintf("g%d:S", i)))
		}
		return traits
	}
	_, err := db.CreateTable(t.Context(), tableInput(indexes(21, 0)...))
	wantError(t, err, invalid, "One or more parameter values were invalid: GlobalSecondaryIndex count exceeds the per-table limit of 20")
	_, err = db.CreateTable(t.Context(), tableInput(indexes(0, 6)...))
	wantError(t, err, invalid, "One or more parameter values were invalid: Number of LocalSecondaryIndexes exceeds per-table limit of 5")
	d := describe(t, newTable(t, indexes(20, 5)...))
	if len(d.GlobalSecondaryIndexes) != 20 || len(d.LocalSecondaryIndexes) != 5 {
		t.Errorf("%d and %d indexes", len(d.GlobalSecondaryIndexes), len(d.LocalSecondaryIndexes))
	}
}

func TestDescribeEndpoints(t *testing.T) {
	t.Parallel()
	out, err := db.DescribeEndpoints(t.Context(), &dynamodb.DescribeEndpointsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Endpoints) != 1 || out.Endpoints[0].CachePeriodInMinutes != 1440 || strings.Contains(*out.Endpoints[0].Address, "://") {
		t.Errorf("%+v", out.Endpoints)
	}
}
