package conformance

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// queryAll returns the items of all pages of a Query.
func queryAll(t testing.TB, in *dynamodb.QueryInput) []item {
	t.Helper()
	var all []item
	pages := dynamodb.NewQueryPaginator(db, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal("Query:", err)
		}
		all = append(all, page.Items...)
	}
	return all
}

// scanAll returns the items of all pages of a Scan.
func scanAll(t testing.TB, in *dynamodb.ScanInput) []item {
	t.Helper()
	var all []item
	pages := dynamodb.NewScanPaginator(db, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal("Scan:", err)
		}
		all = append(all, page.Items...)
	}
	return all
}

// fill writes the items in batches.
func fill(t testing.TB, table string, items []item) {
	t.Helper()
	for batch := range slices.Chunk(items, 25) {
		var requests []types.WriteRequest
		for _, it := range batch {
			requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: it}})
		}
		for len(requests) > 0 {
			out, err := db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: requests}})
			if err != nil {
				t.Fatal("BatchWriteItem:", err)
			}
			requests = out.UnprocessedItems[table]
		}
	}
}

// texts returns the value of an attribute of type S or N of each item.
func texts(items []item, name string) []string {
	var out []string
	for _, it := range items {
		switch v := it[name].(type) {
		case *types.AttributeValueMemberS:
			out = append(out, v.Value)
		case *types.AttributeValueMemberN:
			out = append(out, v.Value)
		}
	}
	return out
}

func byPK(table, pk string) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName: &table, KeyConditionExpression: aws.String("pk = :pk"), ExpressionAttributeValues: item{":pk": str(pk)},
	}
}

// Sort keys of type S are in the order of their UTF-8 bytes, which is not that of UTF-16.
func TestStringOrder(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S", "sk:S"))
	want := []string{"\x00", "\x00\x00", "\x00a", " ", "A", "AA", "B", "a", "a\x00", "a\x00b", "a ", "aa", "ab", "b", "z", "é", "世", "\uffee", "😀"}
	var items []item
	for i := range want {
		items = append(items, item{"pk": str("p"), "sk": str(want[len(want)-1-i])})
	}
	fill(t, table, items)
	if got := texts(queryAll(t, byPK(table, "p")), "sk"); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	backward := byPK(table, "p")
	backward.ScanIndexForward = aws.Bool(false)
	backward.Limit = aws.Int32(3)
	slices.Reverse(want)
	if got := texts(queryAll(t, backward), "sk"); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// Sort keys of type B are in the order of their bytes without sign.
func TestBinaryOrder(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S", "sk:B"))
	want := [][]byte{{0}, {0, 0}, {0, 255}, {1}, {1, 0}, {127}, {128}, {255}, {255, 0}, {255, 255}}
	for i := range want {
		put(t, table, item{"pk": str("p"), "sk": binary(want[len(want)-1-i]...)})
	}
	var got [][]byte
	for _, it := range queryAll(t, byPK(table, "p")) {
		got = append(got, it["sk"].(*types.AttributeValueMemberB).Value)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	in := byPK(table, "p")
	in.KeyConditionExpression = aws.String("pk = :pk AND begins_with(sk, :b)")
	in.ExpressionAttributeValues[":b"] = binary(255)
	if n := len(queryAll(t, in)); n != 3 {
		t.Errorf("%d items begin with 255, want 3", n)
	}
}

// A page ends once it has read 1 MB, whatever a filter or projection leaves of it.
func TestPageOfOneMegabyte(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S", "sk:N"))
	const n, size = 30, 100 << 10
	var items []item
	for i := range n {
		items = append(items, item{"pk": str("p"), "sk": integer(i), "v": str(strings.Repeat("x", size))})
	}
	fill(t, table, items)
	for name, change := range map[string]func(*dynamodb.QueryInput){
		"whole items": func(*dynamodb.QueryInput) {},
		"projection":  func(in *dynamodb.QueryInput) { in.ProjectionExpression = aws.String("sk") },
		"count":       func(in *dynamodb.QueryInput) { in.Select = types.SelectCount },
		"filter":      func(in *dynamodb.QueryInput) { in.FilterExpression = aws.String("attribute_not_exists(v)") },
	} {
		in := byPK(table, "p")
		change(in)
		out, err := db.Query(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		// Ten items are 1 MB less some bytes, so the eleventh is the one that passes it.
		if out.ScannedCount != 10 && out.ScannedCount != 11 || out.LastEvaluatedKey == nil {
			t.Errorf("%s: the first page read %d items, and ends at %v", name, out.ScannedCount, out.LastEvaluatedKey)
		}
	}
	if got := len(queryAll(t, byPK(table, "p"))); got != n {
		t.Errorf("all pages have %d items", got)
	}
	if got := len(scanAll(t, &dynamodb.ScanInput{TableName: &table})); got != n {
		t.Errorf("all pages of a scan have %d items", got)
	}
}

// Items beside those queried are not seen: other partition keys, prefixes of the key, other tables.
func TestQueryStaysInItsPartition(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S", "sk:S"))
	for _, pk := range []string{"a", "a\x00", "ab", "b", "", "A"} {
		if pk != "" {
			put(t, table, item{"pk": str(pk), "sk": str("x")})
			put(t, table, item{"pk": str(pk), "sk": str("y")})
		}
	}
	for _, pk := range []string{"a", "a\x00", "ab", "b", "A"} {
		if got := texts(queryAll(t, byPK(table, pk)), "sk"); !slices.Equal(got, []string{"x", "y"}) {
			t.Errorf("%q: %q", pk, got)
		}
	}
}

// The segments of a parallel scan have every item once, in pages too.
func TestParallelScan(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S", "sk:N"), gsi("byA", "a:S"))
	var items []item
	for i := range 200 {
		items = append(items, item{"pk": str(fmt.Sprint("p", i%70)), "sk": integer(i), "a": str(fmt.Sprint("a", i%13))})
	}
	fill(t, table, items)
	for _, index := range []*string{nil, aws.String("byA")} {
		for _, segments := range []int32{1, 2, 3, 7, 64} {
			seen := map[string]int{}
			var mu sync.Mutex
			var wg sync.WaitGroup
			for s := range segments {
				wg.Go(func() {
					found := scanAll(t, &dynamodb.ScanInput{
						TableName: &table, IndexName: index, Segment: aws.Int32(s), TotalSegments: aws.Int32(segments), Limit: aws.Int32(17),
					})
					mu.Lock()
					defer mu.Unlock()
					for _, id := range texts(found, "sk") {
						seen[id]++
					}
				})
			}
			wg.Wait()
			if len(seen) != len(items) {
				t.Errorf("%d segments have %d items, want %d", segments, len(seen), len(items))
			}
			for id, n := range seen {
				if n != 1 {
					t.Errorf("%d segments have item %s %d times", segments, id, n)
				}
			}
		}
	}
}

// Pages of a scan go on where they ended though items before and after come and go.
func TestScanAmongWriters(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	var items []item
	for i := range 60 {
		items = append(items, item{"pk": str(fmt.Sprint("stays", i))})
		items = append(items, item{"pk": str(fmt.Sprint("goes", i))})
	}
	fill(t, table, items)
	seen := map[string]int{}
	pages := dynamodb.NewScanPaginator(db, &dynamodb.ScanInput{TableName: &table, Limit: aws.Int32(7)})
	for round := 0; pages.HasMorePages(); round++ {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, pk := range texts(page.Items, "pk") {
			seen[pk]++
		}
		if _, err := db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key(fmt.Sprint("goes", round))}); err != nil {
			t.Fatal(err)
		}
		put(t, table, item{"pk": str(fmt.Sprint("comes", round))})
	}
	for i := range 60 {
		if n := seen[fmt.Sprint("stays", i)]; n != 1 {
			t.Errorf("item %d was seen %d times", i, n)
		}
	}
}
