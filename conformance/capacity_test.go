package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// sized returns an item of exactly so many bytes, with its key "pk".
func sized(pk string, bytes int) item {
	it := key(pk)
	return with(it, "v", str(strings.Repeat("x", bytes-len("pk")-len(pk)-len("v"))))
}

// units prints a capacity: "total", then with INDEXES the table's part and those of the indexes by name.
func units(c *types.ConsumedCapacity) string {
	if c == nil {
		return "none"
	}
	text := fmt.Sprint(aws.ToFloat64(c.CapacityUnits))
	if c.Table != nil {
		text += fmt.Sprintf(" table=%v", aws.ToFloat64(c.Table.CapacityUnits))
	}
	for _, indexes := range []map[string]types.Capacity{c.LocalSecondaryIndexes, c.GlobalSecondaryIndexes} {
		for _, name := range slices.Sorted(maps.Keys(indexes)) {
			text += fmt.Sprintf(" %s=%v", name, aws.ToFloat64(indexes[name].CapacityUnits))
		}
	}
	return text
}

func wantUnitsOf(t *testing.T, what string, c *types.ConsumedCapacity, want string) {
	t.Helper()
	if got := units(c); got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

const (
	total     = types.ReturnConsumedCapacityTotal
	byIndexes = types.ReturnConsumedCapacityIndexes
)

// A read takes a unit for 4 KB begun, half of one if it is eventually consistent; a write one for 1 KB begun.
func TestItemCapacity(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	for _, c := range []struct {
		bytes int
		// units of an eventual and of a consistent read, and of a write
		eventual, strong, write string
	}{
		{10, "0.5", "1", "1"},
		{1024, "0.5", "1", "1"},
		{1025, "0.5", "1", "2"},
		{4096, "0.5", "1", "4"},
		{4097, "1", "2", "5"},
		{8192, "1", "2", "8"},
		{8193, "1.5", "3", "9"},
		{400 << 10, "50", "100", "400"},
	} {
		what := fmt.Sprint(c.bytes, " bytes")
		pk := fmt.Sprint("p", c.bytes)
		wrote, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: sized(pk, c.bytes), ReturnConsumedCapacity: total})
		if err != nil {
			t.Fatal(err)
		}
		wantUnitsOf(t, what+" put", wrote.ConsumedCapacity, c.write)
		for consistent, want := range map[bool]string{false: c.eventual, true: c.strong} {
			read, err := db.GetItem(t.Context(), &dynamodb.GetItemInput{
				TableName: &table, Key: key(pk), ConsistentRead: &consistent, ReturnConsumedCapacity: total, ProjectionExpression: aws.String("pk"),
			})
			if err != nil {
				t.Fatal(err)
			}
			wantUnitsOf(t, what+" get", read.ConsumedCapacity, want)
			in := byPK(table, pk)
			in.ConsistentRead, in.ReturnConsumedCapacity, in.Select = &consistent, total, types.SelectCount
			found, err := db.Query(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			wantUnitsOf(t, what+" query", found.ConsumedCapacity, want)
		}
		replaced, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: sized(pk, 100), ReturnConsumedCapacity: total})
		if err != nil {
			t.Fatal(err)
		}
		wantUnitsOf(t, what+" replaced by a small item", replaced.ConsumedCapacity, c.write)
		deleted, err := db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key(pk), ReturnConsumedCapacity: total})
		if err != nil {
			t.Fatal(err)
		}
		wantUnitsOf(t, what+" small item deleted", deleted.ConsumedCapacity, "1")
	}
}

// A Query's items are summed, then rounded once.
func TestQueryCapacity(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S", "sk:N"))
	for i := range 10 {
		put(t, table, with(sized("p", 1000), "sk", integer(i)))
	}
	in := byPK(table, "p")
	in.ReturnConsumedCapacity, in.ConsistentRead = total, aws.Bool(true)
	out, err := db.Query(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	wantUnitsOf(t, "ten items of 1 KB", out.ConsumedCapacity, "3")
	in.FilterExpression = aws.String("attribute_exists(nope)")
	if out, err = db.Query(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	wantUnitsOf(t, "all filtered out", out.ConsumedCapacity, "3")
	in.FilterExpression, in.Limit = nil, aws.Int32(1)
	if out, err = db.Query(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	wantUnitsOf(t, "one of them", out.ConsumedCapacity, "1")
	nobody := byPK(table, "nobody")
	nobody.ReturnConsumedCapacity = byIndexes
	if out, err = db.Query(t.Context(), nobody); err != nil {
		t.Fatal(err)
	}
	wantUnitsOf(t, "no item", out.ConsumedCapacity, "0.5 table=0.5")
}

// A write takes units of each index whose entry it changes.
func TestIndexCapacity(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S", "sk:S"), lsi("local", "c:N"), gsi("global", "a:S"), projecting("x"), gsi("other", "b:S"))
	whole := func(attrs item) item {
		it := key("p", str("s"))
		for n, v := range attrs {
			it[n] = v
		}
		return it
	}
	kilobytes := func(n int) types.AttributeValue { return str(strings.Repeat("x", n<<10)) }
	for _, c := range []struct {
		what string
		put  item
		want string
	}{
		{"no index", whole(nil), "1 table=1"},
		{"into the local one", whole(item{"c": num("1")}), "2 table=1 local=1"},
		{"the same again", whole(item{"c": num("1")}), "1 table=1"},
		{"another key", whole(item{"c": num("2")}), "3 table=1 local=2"},
		{"another value", whole(item{"c": num("2"), "y": num("1")}), "2 table=1 local=1"},
		{"into a global one", whole(item{"c": num("2"), "y": num("1"), "a": str("A")}), "3 table=1 local=1 global=1"},
		{"a value that is not projected", whole(item{"c": num("2"), "y": num("2"), "a": str("A")}), "2 table=1 local=1"},
		{"a value that is", whole(item{"c": num("2"), "y": num("2"), "a": str("A"), "x": str("x")}), "3 table=1 local=1 global=1"},
		{"out of the local one", whole(item{"y": num("2"), "a": str("A"), "x": str("x")}), "2 table=1 local=1"},
		{"a large one", whole(item{"a": str("A"), "x": kilobytes(2)}), "6 table=3 global=3"},
		{"into two", whole(item{"a": str("A"), "x": kilobytes(2), "b": str("B")}), "6 table=3 other=3"},
		{"from key to key", whole(item{"a": str("B"), "x": kilobytes(2), "b": str("B")}), "12 table=3 global=6 other=3"},
		{"out of all", whole(nil), "9 table=3 global=3 other=3"},
	} {
		out, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: c.put, ReturnConsumedCapacity: byIndexes})
		if err != nil {
			t.Fatal(err)
		}
		wantUnitsOf(t, c.what, out.ConsumedCapacity, c.want)
	}
	deleted, err := db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key("p", str("s")), ReturnConsumedCapacity: byIndexes})
	if err != nil {
		t.Fatal(err)
	}
	wantUnitsOf(t, "delete", deleted.ConsumedCapacity, "1 table=1")

	put(t, table, whole(item{"a": str("A"), "c": num("1"), "x": kilobytes(5)}))
	for _, c := range []struct{ index, attribute, value, want string }{
		{"global", "a", "A", "1 table=0 global=1"},
		{"local", "pk", "p", "1 table=0 local=1"},
	} {
		in := byIndex(table, c.index, c.attribute, str(c.value))
		in.ReturnConsumedCapacity = byIndexes
		eventually(t, func() (bool, string) {
			out, err := db.Query(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			got := units(out.ConsumedCapacity)
			return got == c.want, fmt.Sprintf("%s: %s, want %s", c.index, got, c.want)
		})
	}
}

// A condition that fails is charged like a write.
func TestFailedConditionIsCharged(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"), provisioned(50, 50))
	put(t, table, sized("p", 3000))
	_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: &table, Item: key("p"), ConditionExpression: aws.String("attribute_not_exists(pk)"), ReturnConsumedCapacity: total,
	})
	wantError(t, err, "ConditionalCheckFailedException", "The conditional request failed")
}

// Transactions take twice the units of the table, and say which are of reads and which of writes.
func TestTransactionCapacity(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"), gsi("byA", "a:S"))
	put(t, table, sized("stored", 1500))
	out, err := db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
		ReturnConsumedCapacity: byIndexes,
		TransactItems: []types.TransactWriteItem{
			txPut(table, with(sized("p", 2000), "a", str("A"))),
			txCheck(table, key("stored"), "attribute_exists(pk)", types.ReturnValuesOnConditionCheckFailureNone),
			txCheck(table, key("nobody"), "attribute_not_exists(pk)", types.ReturnValuesOnConditionCheckFailureNone),
			{Delete: &types.Delete{TableName: &table, Key: key("nobody else")}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.ConsumedCapacity) != 1 {
		t.Fatalf("%d entries", len(out.ConsumedCapacity))
	}
	c := out.ConsumedCapacity[0]
	wantUnitsOf(t, "the transaction", &c, "14 table=12 byA=2")
	if w := aws.ToFloat64(c.WriteCapacityUnits); w != 14 || c.ReadCapacityUnits != nil {
		t.Errorf("%v write units, read units %v", w, c.ReadCapacityUnits)
	}
	read, err := db.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{
		ReturnConsumedCapacity: total,
		TransactItems: []types.TransactGetItem{
			{Get: &types.Get{TableName: &table, Key: key("stored")}}, {Get: &types.Get{TableName: &table, Key: key("nobody")}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	wantUnitsOf(t, "the reads", &read.ConsumedCapacity[0], "4")
}

// A batch counts its items one by one.
func TestBatchCapacity(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	out, err := db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{
		ReturnConsumedCapacity: byIndexes,
		RequestItems: map[string][]types.WriteRequest{table: {
			{PutRequest: &types.PutRequest{Item: sized("a", 1025)}},
			{PutRequest: &types.PutRequest{Item: sized("b", 5000)}},
			{DeleteRequest: &types.DeleteRequest{Key: key("nobody")}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	wantUnitsOf(t, "writes", &out.ConsumedCapacity[0], "8 table=8")
	for consistent, want := range map[bool]string{false: "2 table=2", true: "4 table=4"} {
		read, err := db.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{
			ReturnConsumedCapacity: byIndexes,
			RequestItems:           map[string]types.KeysAndAttributes{table: {ConsistentRead: &consistent, Keys: []item{key("a"), key("b"), key("nobody")}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		wantUnitsOf(t, "reads", &read.ConsumedCapacity[0], want)
	}
}
