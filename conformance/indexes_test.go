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

// byIndex asks an index for the entries whose attribute has the value.
func byIndex(table, index, attribute string, v types.AttributeValue) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName: &table, IndexName: &index, KeyConditionExpression: aws.String(attribute + " = :v"), ExpressionAttributeValues: item{":v": v},
	}
}

// wantEntries waits until the query has these partition keys; reads of global indexes are eventually consistent.
func wantEntries(t *testing.T, in *dynamodb.QueryInput, want ...string) {
	t.Helper()
	eventually(t, func() (bool, string) {
		got := texts(queryAll(t, in), "pk")
		return slices.Equal(got, want), fmt.Sprintf("index %s has %v, want %v", *in.IndexName, got, want)
	})
}

// An item is in an index while it has the index's key; its entry follows every change.
func TestSparseIndex(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"), gsi("byA", "a:S", "/", "b:N"))
	red, blue := byIndex(table, "byA", "a", str("red")), byIndex(table, "byA", "a", str("blue"))
	put(t, table, item{"pk": str("1"), "a": str("red"), "b": num("2")})
	put(t, table, item{"pk": str("2"), "a": str("red"), "b": num("1")})
	put(t, table, item{"pk": str("3"), "a": str("red")})
	put(t, table, item{"pk": str("4"), "b": num("3")})
	wantEntries(t, red, "2", "1")
	update := func(pk, expression string, values item) {
		t.Helper()
		_, err := db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &table, Key: key(pk), UpdateExpression: &expression, ExpressionAttributeValues: values,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	update("3", "SET b = :b", item{":b": num("0")})
	wantEntries(t, red, "3", "2", "1")
	update("1", "SET b = :b", item{":b": num("-1")})
	wantEntries(t, red, "1", "3", "2")
	update("2", "SET a = :a", item{":a": str("blue")})
	wantEntries(t, red, "1", "3")
	wantEntries(t, blue, "2")
	update("1", "REMOVE a", nil)
	wantEntries(t, red, "3")
	put(t, table, item{"pk": str("3")})
	wantEntries(t, red)
	if _, err := db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key("2")}); err != nil {
		t.Fatal(err)
	}
	wantEntries(t, blue)
	if err := transact(t, txPut(table, item{"pk": str("tx"), "a": str("red"), "b": num("1")})); err != nil {
		t.Fatal(err)
	}
	fill(t, table, []item{{"pk": str("batch"), "a": str("red"), "b": num("2")}})
	wantEntries(t, red, "tx", "batch")
}

// Entries hold the keys, and what is projected of the rest.
func TestProjectedAttributes(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S", "sk:S"), lsi("localKeys", "c:N"), projecting(), lsi("localSome", "c:N"), projecting("x"),
		gsi("all", "a:S"), gsi("keysOnly", "a:S"), projecting(), gsi("some", "a:S"), projecting("x"))
	whole := item{"pk": str("p"), "sk": str("s"), "a": str("A"), "c": num("1"), "x": str("xx"), "y": str("yy")}
	put(t, table, whole)
	only := func(names ...string) item {
		out := item{}
		for _, n := range names {
			out[n] = whole[n]
		}
		return out
	}
	for index, want := range map[string]item{
		"all": whole, "keysOnly": only("pk", "sk", "a"), "some": only("pk", "sk", "a", "x"),
	} {
		in := byIndex(table, index, "a", str("A"))
		wantEntries(t, in, "p")
		wantItem(t, queryAll(t, in)[0], want)
	}
	for index, want := range map[string]item{"localKeys": only("pk", "sk", "c"), "localSome": only("pk", "sk", "c", "x")} {
		in := byIndex(table, index, "pk", str("p"))
		in.ConsistentRead = aws.Bool(true)
		wantItem(t, queryAll(t, in)[0], want)
		in.Select = types.SelectAllAttributes // a local index fetches from the table what it lacks
		wantItem(t, queryAll(t, in)[0], whole)
		in.Select, in.ProjectionExpression = "", aws.String("y, c")
		wantItem(t, queryAll(t, in)[0], only("y", "c"))
	}
	in := byIndex(table, "keysOnly", "a", str("A"))
	in.ProjectionExpression = aws.String("y")
	if _, err := db.Query(t.Context(), in); err == nil {
		t.Error("a global index gave an attribute that it does not have")
	} else {
		wantError(t, err, invalid, "")
	}
}

// The pages of an index with many equal keys have every entry once.
func TestIndexPages(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S", "sk:N"), gsi("byA", "a:S", "/", "b:N"), lsi("byB", "b:N"))
	var items []item
	for i := range 90 {
		items = append(items, item{"pk": str(fmt.Sprint("p", i%3)), "sk": integer(i), "a": str("same"), "b": integer(i % 4)})
	}
	fill(t, table, items)
	for _, forward := range []bool{true, false} {
		in := byIndex(table, "byA", "a", str("same"))
		in.ScanIndexForward, in.Limit = &forward, aws.Int32(7)
		var found []item
		eventually(t, func() (bool, string) {
			found = queryAll(t, in)
			return len(found) == len(items), fmt.Sprintf("%d entries", len(found))
		})
		wantOnce(t, found, len(items))
		if bs := texts(found, "b"); !slices.IsSortedFunc(bs, func(a, b string) int { return strings.Compare(a, b) * direction(forward) }) {
			t.Errorf("forward %t: %s", forward, bs)
		}
		local := byIndex(table, "byB", "pk", str("p1"))
		local.ScanIndexForward, local.Limit = &forward, aws.Int32(4)
		wantOnce(t, queryAll(t, local), 30)
	}
	page, err := db.Query(t.Context(), byLimit(byIndex(table, "byA", "a", str("same")), 1))
	if err != nil {
		t.Fatal(err)
	}
	if last := page.LastEvaluatedKey; len(last) != 4 || last["a"] == nil || last["b"] == nil || last["pk"] == nil || last["sk"] == nil {
		t.Errorf("LastEvaluatedKey %s", show(last))
	}
}

func byLimit(in *dynamodb.QueryInput, n int32) *dynamodb.QueryInput {
	in.Limit = &n
	return in
}

func direction(forward bool) int {
	if forward {
		return 1
	}
	return -1
}

func wantOnce(t *testing.T, found []item, want int) {
	t.Helper()
	seen := map[string]bool{}
	for _, id := range texts(found, "sk") {
		if seen[id] {
			t.Errorf("item %s came twice", id)
		}
		seen[id] = true
	}
	if len(seen) != want {
		t.Errorf("%d items, want %d", len(seen), want)
	}
}

// An index that is made later has what was there before, and what came meanwhile.
func TestAddAndDropIndex(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	var items []item
	for i := range 120 {
		it := item{"pk": str(fmt.Sprint("before", i)), "a": str("A"), "b": integer(i)}
		if i%10 == 0 {
			it["a"] = num("1") // of another type: not in the index, but no error either
		}
		items = append(items, it)
	}
	fill(t, table, items)
	out, err := db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: &table,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("a"), AttributeType: types.ScalarAttributeTypeS}, {AttributeName: aws.String("b"), AttributeType: types.ScalarAttributeTypeN},
		},
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: aws.String("later"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
			KeySchema: []types.KeySchemaElement{
				{AttributeName: aws.String("a"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("b"), KeyType: types.KeyTypeRange},
			},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if g := out.TableDescription.GlobalSecondaryIndexes; len(g) != 1 || g[0].IndexStatus != types.IndexStatusCreating {
		t.Errorf("UpdateTable answers %+v", g)
	}
	for i := range 40 {
		put(t, table, item{"pk": str(fmt.Sprint("meanwhile", i)), "a": str("A"), "b": integer(1000 + i)})
	}
	d := waitActive(t, table)
	if d.GlobalSecondaryIndexes[0].Backfilling != nil {
		t.Error("an active index is backfilling")
	}
	in := byIndex(table, "later", "a", str("A"))
	eventually(t, func() (bool, string) {
		n := len(queryAll(t, in))
		return n == 108+40, fmt.Sprintf("%d entries, want %d", n, 108+40)
	})
	_, err = db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item{"pk": str("x"), "a": num("1")}})
	wantError(t, err, invalid, "One or more parameter values were invalid: Type mismatch for Index Key a Expected: S Actual: N IndexName: later")

	_, err = db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: &table, GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("later")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	d = waitTable(t, table, func(d *types.TableDescription) bool {
		return d.TableStatus == types.TableStatusActive && len(d.GlobalSecondaryIndexes) == 0
	})
	if len(d.AttributeDefinitions) != 1 {
		t.Errorf("definitions %v", d.AttributeDefinitions)
	}
	_, err = db.Query(t.Context(), in)
	wantError(t, err, invalid, "The table does not have the specified index: later")
	put(t, table, item{"pk": str("x"), "a": num("1")})
}

// An index over up to four attributes on either side of its key.
func TestMultiAttributeKeys(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"), gsi("wide", "tenant:S", "region:S", "/", "year:N", "month:N", "note:S"))
	d := describe(t, table)
	if n := len(d.GlobalSecondaryIndexes[0].KeySchema); n != 5 {
		t.Fatalf("%d key attributes", n)
	}
	var items []item
	for year := range 3 {
		for month := range 4 {
			items = append(items, item{
				"pk": str(fmt.Sprintf("%d-%02d", 2020+year, month+9)), "tenant": str("T"), "region": str("R"),
				"year": integer(2020 + year), "month": integer(month + 9), "note": str("n"),
			})
		}
	}
	fill(t, table, items)
	put(t, table, item{"pk": str("lacks one"), "tenant": str("T"), "region": str("R"), "year": num("2020"), "month": num("9")})
	put(t, table, item{"pk": str("other"), "tenant": str("T"), "region": str("S"), "year": num("2020"), "month": num("9"), "note": str("n")})
	values := item{":t": str("T"), ":r": str("R"), ":y": num("2021"), ":m": num("10"), ":n": str("n")}
	query := func(condition string) *dynamodb.QueryInput {
		used := item{}
		for name, v := range values {
			if strings.Contains(condition, name) {
				used[name] = v
			}
		}
		return &dynamodb.QueryInput{
			TableName: &table, IndexName: aws.String("wide"), KeyConditionExpression: &condition, ExpressionAttributeValues: used,
			ExpressionAttributeNames: namesIn(condition, map[string]string{"#r": "region", "#y": "year", "#m": "month"}), Limit: aws.Int32(3),
		}
	}
	for condition, want := range map[string]string{
		"tenant = :t AND #r = :r":                                       "2020-09 2020-10 2020-11 2020-12 2021-09 2021-10 2021-11 2021-12 2022-09 2022-10 2022-11 2022-12",
		"#r = :r AND tenant = :t AND #y > :y":                           "2022-09 2022-10 2022-11 2022-12",
		"tenant = :t AND #r = :r AND #y = :y":                           "2021-09 2021-10 2021-11 2021-12",
		"tenant = :t AND #r = :r AND #y = :y AND #m >= :m":              "2021-10 2021-11 2021-12",
		"#m = :m AND tenant = :t AND #y = :y AND #r = :r":               "2021-10",
		"tenant = :t AND #r = :r AND #y = :y AND #m = :m AND note = :n": "2021-10",
	} {
		wantEntries(t, query(condition), strings.Fields(want)...)
	}
	for _, condition := range []string{
		"tenant = :t",                                     // a partition key attribute is missing
		"tenant = :t AND #r > :r",                         // not an equality
		"tenant = :t AND #r = :r AND #m = :m",             // a gap
		"tenant = :t AND #r = :r AND #y > :y AND #m = :m", // a range that is not the last
	} {
		_, err := db.Query(t.Context(), query(condition))
		wantError(t, err, invalid, "")
	}
}

func namesIn(text string, names map[string]string) map[string]string {
	used := map[string]string{}
	for n, v := range names {
		if strings.Contains(text, n) {
			used[n] = v
		}
	}
	if len(used) == 0 {
		return nil
	}
	return used
}
