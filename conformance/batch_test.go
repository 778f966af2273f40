package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestBatchWrite(t *testing.T) {
	t.Parallel()
	one, two := newTable(t, keys("pk:S")), newTable(t, keys("pk:S", "sk:N"))
	put(t, one, item{"pk": str("old")})
	out, err := db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
		one: {
			{PutRequest: &types.PutRequest{Item: item{"pk": str("new"), "v": num("1")}}},
			{DeleteRequest: &types.DeleteRequest{Key: key("old")}},
		},
		two: {{PutRequest: &types.PutRequest{Item: item{"pk": str("a"), "sk": num("1")}}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.UnprocessedItems) != 0 {
		t.Errorf("unprocessed: %v", out.UnprocessedItems)
	}
	wantItem(t, get(t, one, key("new")), item{"pk": str("new"), "v": num("1")})
	wantItem(t, get(t, one, key("old")), nil)
	wantItem(t, get(t, two, key("a", num("1"))), item{"pk": str("a"), "sk": num("1")})
}

func puts(n int) []types.WriteRequest {
	var requests []types.WriteRequest
	for i := range n {
		requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: item{"pk": str(fmt.Sprint(i))}}})
	}
	return requests
}

func manyKeys(from, to int) []item {
	var many []item
	for i := from; i < to; i++ {
		many = append(many, key(fmt.Sprint(i)))
	}
	return many
}

// A batch has up to 25 writes or 100 reads, over all its tables.
func TestBatchLimits(t *testing.T) {
	t.Parallel()
	one, two := newTable(t, keys("pk:S")), newTable(t, keys("pk:S"))
	write := func(requests map[string][]types.WriteRequest) error {
		_, err := db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: requests})
		return err
	}
	if err := write(map[string][]types.WriteRequest{one: puts(25)}); err != nil {
		t.Error("25 writes:", err)
	}
	err := write(map[string][]types.WriteRequest{one: puts(26)})
	wantError(t, err, invalid, "")
	if err != nil && !strings.HasSuffix(err.Error(), "at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: "+
		"[Member must have length less than or equal to 25, Member must have length greater than or equal to 1]") {
		t.Error("26 writes:", clip(err.Error()))
	}
	wantError(t, write(map[string][]types.WriteRequest{one: puts(13), two: puts(13)}), invalid, "Too many items requested for the BatchWriteItem call")

	read := func(requests map[string]types.KeysAndAttributes) error {
		_, err := db.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: requests})
		return err
	}
	if err := read(map[string]types.KeysAndAttributes{one: {Keys: manyKeys(0, 50)}, two: {Keys: manyKeys(0, 50)}}); err != nil {
		t.Error("100 reads:", err)
	}
	wantError(t, read(map[string]types.KeysAndAttributes{one: {Keys: manyKeys(0, 101)}}), invalid,
		"1 validation error detected: Value at 'RequestItems."+one+".member.Keys' failed to satisfy constraint: Member must have length less than or equal to 100")
	wantError(t, read(map[string]types.KeysAndAttributes{one: {Keys: manyKeys(0, 51)}, two: {Keys: manyKeys(0, 50)}}), invalid,
		"Too many items requested for the BatchGetItem call")
}

// What a BatchGetItem has no room for comes back as unprocessed, and comes with the next.
func TestBatchGetOfMoreThan16MB(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	const n = 48
	var items []item
	for i := range n {
		items = append(items, item{"pk": str(fmt.Sprint(i)), "v": str(strings.Repeat("x", 380<<10))})
	}
	for batch := range slices.Chunk(items, 10) { // a request has 16 MB at most too
		fill(t, table, batch)
	}
	request := map[string]types.KeysAndAttributes{table: {Keys: manyKeys(0, n)}}
	seen := map[string]bool{}
	rounds := 0
	for ; len(request) > 0 && rounds < n; rounds++ {
		out, err := db.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: request})
		if err != nil {
			t.Fatal(err)
		}
		for _, pk := range texts(out.Responses[table], "pk") {
			if seen[pk] {
				t.Errorf("item %s came twice", pk)
			}
			seen[pk] = true
		}
		request = out.UnprocessedKeys
	}
	if len(seen) != n || rounds < 2 {
		t.Errorf("%d items in %d rounds", len(seen), rounds)
	}
}

// Unprocessed keys keep what was asked for beside them.
func TestBatchGetProjection(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	for i := range 10 {
		put(t, table, item{"pk": str(fmt.Sprint(i)), "status": integer(i), "x": str("x")})
	}
	out, err := db.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{table: {
		Keys: manyKeys(5, 15), ProjectionExpression: aws.String("#s"), ExpressionAttributeNames: map[string]string{"#s": "status"}, ConsistentRead: aws.Bool(true),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	got := texts(out.Responses[table], "status")
	slices.Sort(got)
	if !slices.Equal(got, []string{"5", "6", "7", "8", "9"}) || len(out.Responses[table][0]) != 1 {
		t.Errorf("%v", out.Responses)
	}
}
