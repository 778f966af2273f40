package conformance

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Members that older clients do not know: on-demand maxima and warm throughput.

func TestOnDemandThroughput(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"), gsi("byA", "a:S"), func(in *dynamodb.CreateTableInput) {
		in.OnDemandThroughput = &types.OnDemandThroughput{MaxReadRequestUnits: aws.Int64(100)}
		in.GlobalSecondaryIndexes[0].OnDemandThroughput = &types.OnDemandThroughput{MaxWriteRequestUnits: aws.Int64(50)}
	})
	d := describe(t, table)
	wantMaxima(t, "table", d.OnDemandThroughput, 100, 0)
	wantMaxima(t, "index", d.GlobalSecondaryIndexes[0].OnDemandThroughput, 0, 50)
	change := func(read, write *int64) error {
		_, err := db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
			TableName: &table, OnDemandThroughput: &types.OnDemandThroughput{MaxReadRequestUnits: read, MaxWriteRequestUnits: write},
		})
		if err == nil {
			d = waitActive(t, table)
		}
		return err
	}
	if err := change(nil, aws.Int64(70)); err != nil {
		t.Fatal(err)
	}
	wantMaxima(t, "after one more", d.OnDemandThroughput, 100, 70)
	if err := change(aws.Int64(-1), nil); err != nil {
		t.Fatal(err)
	}
	wantMaxima(t, "after one less", d.OnDemandThroughput, 0, 70)
	if err := change(nil, aws.Int64(-1)); err != nil {
		t.Fatal(err)
	}
	if d.OnDemandThroughput != nil {
		t.Errorf("with no maximum: %+v", *d.OnDemandThroughput)
	}
	wantError(t, change(aws.Int64(0), nil), invalid, "")
	wantError(t, change(aws.Int64(-2), nil), invalid, "")
}

// wantMaxima compares; 0 stands for a maximum that is not set.
func wantMaxima(t *testing.T, what string, o *types.OnDemandThroughput, read, write int64) {
	t.Helper()
	if o == nil {
		t.Errorf("%s: no maxima", what)
		return
	}
	if aws.ToInt64(o.MaxReadRequestUnits) != read || aws.ToInt64(o.MaxWriteRequestUnits) != write {
		t.Errorf("%s: %d and %d", what, aws.ToInt64(o.MaxReadRequestUnits), aws.ToInt64(o.MaxWriteRequestUnits))
	}
}

func TestWarmThroughput(t *testing.T) {
	t.Parallel()
	warm := func(read, write int64) *types.WarmThroughput {
		return &types.WarmThroughput{ReadUnitsPerSecond: &read, WriteUnitsPerSecond: &write}
	}
	table := newTable(t, keys("pk:S"), gsi("byA", "a:S"), func(in *dynamodb.CreateTableInput) {
		in.WarmThroughput = warm(13000, 4500)
	})
	d := waitTable(t, table, func(d *types.TableDescription) bool { return d.WarmThroughput.Status == types.TableStatusActive })
	if r, w := *d.WarmThroughput.ReadUnitsPerSecond, *d.WarmThroughput.WriteUnitsPerSecond; r != 13000 || w != 4500 {
		t.Errorf("table: %d and %d", r, w)
	}
	if g := d.GlobalSecondaryIndexes[0].WarmThroughput; *g.ReadUnitsPerSecond != 12000 || *g.WriteUnitsPerSecond != 4000 {
		t.Errorf("index: %d and %d", *g.ReadUnitsPerSecond, *g.WriteUnitsPerSecond)
	}
	update := func(w *types.WarmThroughput) error {
		_, err := db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &table, WarmThroughput: w})
		return err
	}
	wantError(t, update(warm(12000, 4500)), invalid, "One or more parameter values were invalid: "+
		"Requested ReadUnitsPerSecond for WarmThroughput for table is lower than current WarmThroughput, decreasing WarmThroughput is not supported")
	if err := update(warm(14000, 4500)); err != nil {
		t.Fatal(err)
	}
	waitTable(t, table, func(d *types.TableDescription) bool {
		return d.WarmThroughput.Status == types.TableStatusActive && *d.WarmThroughput.ReadUnitsPerSecond == 14000
	})
}
