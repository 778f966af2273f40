package conformance

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// What attributevalue makes of a struct comes back as the same struct.
func TestMarshalledItem(t *testing.T) {
	t.Parallel()
	type inner struct {
		Name  string
		Score float64
	}
	type record struct {
		PK      string `dynamodbav:"pk"`
		Count   int64
		Big     uint64
		Ratio   float64
		On      bool
		Bytes   []byte
		Tags    []string `dynamodbav:",stringset"`
		List    []inner
		Map     map[string]int
		Nothing *string
		Empty   string
	}
	table := newTable(t, keys("pk:S"))
	want := record{
		PK: "a", Count: -42, Big: 18446744073709551615, Ratio: 0.001, On: true, Bytes: []byte{0, 255, 1}, Tags: []string{"x", "y"},
		List: []inner{{"one", 0.95}, {"", -1e100}}, Map: map[string]int{"k": 1, "j": 2},
	}
	marshalled, err := attributevalue.MarshalMap(want)
	if err != nil {
		t.Fatal(err)
	}
	put(t, table, marshalled)
	var got record
	if err := attributevalue.UnmarshalMap(get(t, table, key("a")), &got); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// A put replaces the whole item.
func TestPutReplaces(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	put(t, table, item{"pk": str("a"), "x": num("1"), "y": num("2")})
	put(t, table, item{"pk": str("a"), "z": num("3")})
	wantItem(t, get(t, table, key("a")), item{"pk": str("a"), "z": num("3")})
}

// Keys are compared byte by byte, and numbers by value.
func TestKeyIdentity(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S", "sk:N"))
	for i, pk := range []string{"a", "A", "a ", " a", "é", "e\u0301", "a\x00", "a\x00b", "😀"} {
		put(t, table, item{"pk": str(pk), "sk": num("1"), "i": integer(i)})
	}
	for i, pk := range []string{"a", "A", "a ", " a", "é", "e\u0301", "a\x00", "a\x00b", "😀"} {
		wantItem(t, get(t, table, key(pk, num("1.00"))), item{"pk": str(pk), "sk": num("1"), "i": integer(i)})
	}
	put(t, table, item{"pk": str("n"), "sk": num("100"), "v": str("first")})
	put(t, table, item{"pk": str("n"), "sk": num("1E2"), "v": str("second")})
	wantItem(t, get(t, table, key("n", num("+100.0"))), item{"pk": str("n"), "sk": num("100"), "v": str("second")})
}

// Updates from many clients at once are all counted.
func TestConcurrentCounter(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	const clients, updates = 8, 25
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for range updates {
				_, err := db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
					TableName: &table, Key: key("counter"), UpdateExpression: aws.String("ADD n :one"),
					ExpressionAttributeValues: item{":one": num("1")},
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	wantItem(t, get(t, table, key("counter")), item{"pk": str("counter"), "n": integer(clients * updates)})
}

// Of many clients that put under attribute_not_exists, one succeeds.
func TestConcurrentCreate(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	var wg sync.WaitGroup
	var mu sync.Mutex
	var winners []int
	for i := range 16 {
		wg.Go(func() {
			_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{
				TableName: &table, Item: item{"pk": str("one"), "by": integer(i)}, ConditionExpression: aws.String("attribute_not_exists(pk)"),
			})
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				winners = append(winners, i)
			} else if !errors.As(err, new(*types.ConditionalCheckFailedException)) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(winners) != 1 {
		t.Fatalf("winners %v", winners)
	}
	wantItem(t, get(t, table, key("one")), item{"pk": str("one"), "by": integer(winners[0])})
}

// A failed condition tells the item that it failed on, if asked.
func TestReturnValuesOnConditionCheckFailure(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	stored := item{"pk": str("a"), "v": num("1")}
	put(t, table, stored)
	condition, values := aws.String("v = :v"), item{":v": num("2")}
	asked := types.ReturnValuesOnConditionCheckFailureAllOld
	calls := map[string]func(k item, r types.ReturnValuesOnConditionCheckFailure) error{
		"PutItem": func(k item, r types.ReturnValuesOnConditionCheckFailure) error {
			_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: k, ConditionExpression: condition, ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: r})
			return err
		},
		"UpdateItem": func(k item, r types.ReturnValuesOnConditionCheckFailure) error {
			_, err := db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &table, Key: k, ConditionExpression: condition, ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: r})
			return err
		},
		"DeleteItem": func(k item, r types.ReturnValuesOnConditionCheckFailure) error {
			_, err := db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: k, ConditionExpression: condition, ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: r})
			return err
		},
	}
	for name, run := range calls {
		for _, c := range []struct {
			k    item
			r    types.ReturnValuesOnConditionCheckFailure
			want item
		}{
			{key("a"), asked, stored},
			{key("a"), types.ReturnValuesOnConditionCheckFailureNone, nil},
			{key("nobody"), asked, nil},
		} {
			var failed *types.ConditionalCheckFailedException
			if err := run(c.k, c.r); !errors.As(err, &failed) {
				t.Errorf("%s: %v", name, err)
				continue
			}
			wantItem(t, failed.Item, c.want)
		}
	}
}

// An item has at most 400 KB, names and all.
func TestItemSize(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	const limit = 400 << 10
	fits := item{"pk": str("a"), "v": str(strings.Repeat("x", limit-len("pk")-len("a")-len("v")))}
	put(t, table, fits)
	wantItem(t, get(t, table, key("a")), fits)
	tooLong := item{"pk": str("ab"), "v": fits["v"]}
	_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: tooLong})
	wantError(t, err, invalid, "Item size has exceeded the maximum allowed size")
	_, err = db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{table: {{PutRequest: &types.PutRequest{Item: tooLong}}}},
	})
	wantError(t, err, invalid, "Item size has exceeded the maximum allowed size")
	_, err = db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &table, Key: key("a"), UpdateExpression: aws.String("SET w = :w"), ExpressionAttributeValues: item{":w": str("more")},
	})
	wantError(t, err, invalid, "Item size to update has exceeded the maximum allowed size")
	wantItem(t, get(t, table, key("a")), fits)
}

// Values nest up to 32 levels.
func TestNesting(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	nested := func(levels int, wrap func(types.AttributeValue) types.AttributeValue) types.AttributeValue {
		v := str("in")
		for range levels {
			v = wrap(v)
		}
		return v
	}
	wraps := map[string]func(types.AttributeValue) types.AttributeValue{
		"maps": func(v types.AttributeValue) types.AttributeValue { return object(item{"m": v}) },
		"lists": func(v types.AttributeValue) types.AttributeValue {
			return &types.AttributeValueMemberL{Value: []types.AttributeValue{v}}
		},
	}
	const tooDeep = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
	for name, wrap := range wraps {
		deepest := item{"pk": str(name), "v": nested(31, wrap)}
		put(t, table, deepest)
		wantItem(t, get(t, table, key(name)), deepest)
		_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item{"pk": str(name), "v": nested(32, wrap)}})
		wantError(t, err, invalid, tooDeep)
		_, err = db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &table, Key: key(name), UpdateExpression: aws.String("SET v = :v"), ExpressionAttributeValues: item{":v": nested(32, wrap)},
		})
		wantError(t, err, invalid, tooDeep)
	}
}
