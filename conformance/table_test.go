package conformance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A trait is a part of the definition of a test's table.
type trait func(*dynamodb.CreateTableInput)

// tablePrefix stands before the names of all tables of the suite.
const tablePrefix = "gramme-conformance-"

// newName returns a table name that nobody has.
func newName() string {
	return fmt.Sprintf("%s%016x", tablePrefix, rand.Uint64())
}

// newTable makes an on-demand table, or what the traits make of it, waits until it is active and deletes it when the test ends.
// It returns the table's name.
func newTable(t testing.TB, traits ...trait) string {
	t.Helper()
	in := tableInput(traits...)
	if _, err := db.CreateTable(t.Context(), in); err != nil {
		t.Fatalf("CreateTable: %v", err)
	}
	dropLater(t, *in.TableName)
	waitActive(t, *in.TableName)
	return *in.TableName
}

// tableInput returns the definition that the traits describe.
func tableInput(traits ...trait) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{TableName: aws.String(newName()), BillingMode: types.BillingModePayPerRequest}
	for _, f := range traits {
		f(in)
	}
	return in
}

// dropLater deletes the table when the test ends, if it is there by then.
func dropLater(t testing.TB, name string) {
	t.Cleanup(func() {
		ctx := context.Background() // the test's own is cancelled by now
		deadline := time.Now().Add(maxWait)
		for {
			_, err := db.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
			if errors.As(err, new(*types.ResourceInUseException)) && time.Now().Before(deadline) {
				time.Sleep(pollInterval())
				continue
			}
			if err != nil && !errors.As(err, new(*types.ResourceNotFoundException)) {
				t.Errorf("DeleteTable %s: %v", name, err)
			}
			return
		}
	})
}

// waitActive waits until the table and all its indexes are active.
func waitActive(t testing.TB, name string) *types.TableDescription {
	t.Helper()
	return waitTable(t, name, func(d *types.TableDescription) bool {
		building := slices.ContainsFunc(d.GlobalSecondaryIndexes, func(g types.GlobalSecondaryIndexDescription) bool {
			return g.IndexStatus != types.IndexStatusActive
		})
		return d.TableStatus == types.TableStatusActive && !building
	})
}

// waitTable describes the table until the description is as wanted.
func waitTable(t testing.TB, name string, done func(*types.TableDescription) bool) *types.TableDescription {
	t.Helper()
	deadline := time.Now().Add(maxWait)
	for {
		d := describe(t, name)
		if done(d) {
			return d
		}
		if time.Now().After(deadline) {
			t.Fatalf("table %s: still %+v", name, d)
		}
		time.Sleep(pollInterval())
	}
}

func describe(t testing.TB, name string) *types.TableDescription {
	t.Helper()
	out, err := db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		t.Fatalf("DescribeTable: %v", err)
	}
	return out.Table
}

// keys gives the table its primary key, each attribute as "name:TYPE".
func keys(attrs ...string) trait {
	return func(in *dynamodb.CreateTableInput) {
		in.KeySchema = schema(in, attrs[:1], attrs[1:])
	}
}

// gsi adds a global index over the first attributes as partition key, those after "/" as sort key; all attributes are projected.
func gsi(name string, attrs ...string) trait {
	hash, sort := splitKey(attrs)
	return func(in *dynamodb.CreateTableInput) {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName:  aws.String(name),
			KeySchema:  schema(in, hash, sort),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		})
	}
}

// lsi adds a local index with another sort key; all attributes are projected.
func lsi(name, attr string) trait {
	return func(in *dynamodb.CreateTableInput) {
		in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, types.LocalSecondaryIndex{
			IndexName:  aws.String(name),
			KeySchema:  append(slices.Clone(in.KeySchema[:1]), schema(in, nil, []string{attr})...),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		})
	}
}

// projecting limits the index added last to the keys, and to the attributes named if there are any.
func projecting(attrs ...string) trait {
	p := &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}
	if len(attrs) > 0 {
		p = &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: attrs}
	}
	return func(in *dynamodb.CreateTableInput) {
		if n := len(in.GlobalSecondaryIndexes); n > 0 {
			in.GlobalSecondaryIndexes[n-1].Projection = p
			return
		}
		in.LocalSecondaryIndexes[len(in.LocalSecondaryIndexes)-1].Projection = p
	}
}

// provisioned gives the table and the indexes before it a throughput.
func provisioned(read, write int64) trait {
	return func(in *dynamodb.CreateTableInput) {
		in.BillingMode = types.BillingModeProvisioned
		in.ProvisionedThroughput = throughput(read, write)
		for i := range in.GlobalSecondaryIndexes {
			in.GlobalSecondaryIndexes[i].ProvisionedThroughput = throughput(read, write)
		}
	}
}

func throughput(read, write int64) *types.ProvisionedThroughput {
	return &types.ProvisionedThroughput{ReadCapacityUnits: &read, WriteCapacityUnits: &write}
}

// schema returns the key schema and adds what it names to the definitions.
func schema(in *dynamodb.CreateTableInput, hash, sort []string) []types.KeySchemaElement {
	var elements []types.KeySchemaElement
	for _, attr := range hash {
		elements = append(elements, types.KeySchemaElement{AttributeName: define(in, attr), KeyType: types.KeyTypeHash})
	}
	for _, attr := range sort {
		elements = append(elements, types.KeySchemaElement{AttributeName: define(in, attr), KeyType: types.KeyTypeRange})
	}
	return elements
}

// define adds "name:TYPE" to the attribute definitions, once, and returns the name.
func define(in *dynamodb.CreateTableInput, attr string) *string {
	name, kind, ok := strings.Cut(attr, ":")
	if !ok {
		panic("attribute without a type: " + attr)
	}
	known := slices.ContainsFunc(in.AttributeDefinitions, func(d types.AttributeDefinition) bool { return *d.AttributeName == name })
	if !known {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: &name, AttributeType: types.ScalarAttributeType(kind),
		})
	}
	return &name
}

func splitKey(attrs []string) (hash, sort []string) {
	if i := slices.Index(attrs, "/"); i >= 0 {
		return attrs[:i], attrs[i+1:]
	}
	return attrs, nil
}

// eventually waits until the function is satisfied, and fails with what it says if it never is.
func eventually(t testing.TB, f func() (done bool, state string)) {
	t.Helper()
	deadline := time.Now().Add(maxWait)
	if !*awsFlag {
		deadline = time.Now().Add(20 * time.Second)
	}
	for {
		done, state := f()
		if done {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(state)
		}
		time.Sleep(pollInterval())
	}
}
