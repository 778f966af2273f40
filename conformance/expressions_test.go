package conformance

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

// testdata/conditions.txt: each line is a condition of a write and a filter of a Scan; "true", "false" or an error.
func TestConditions(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	var stored string
	for _, c := range readLines(t, "testdata/conditions.txt") {
		if now := fmt.Sprint(c.item); now != stored { // conditions change nothing
			c.store(t, table)
			stored = now
		}
		c.runCondition(t, table)
		c.runFilter(t, table)
	}
}

func (c lineCase) runCondition(t *testing.T, table string) {
	t.Helper()
	got := call(t, "UpdateItem", request(t, map[string]any{
		"TableName": table, "Key": jsonObject{"pk": json.RawMessage(lineKey)}, "ConditionExpression": c.text,
		"ExpressionAttributeNames": c.names, "ExpressionAttributeValues": c.values,
	}))
	if c.fault(t, "UpdateItem", "ConditionExpression", got) {
		return
	}
	if holds := got.fault() == ""; strconv.FormatBool(holds) != c.want {
		t.Errorf("%s: condition %s is %t", c.where, c.text, holds)
	}
}

func (c lineCase) runFilter(t *testing.T, table string) {
	t.Helper()
	got := call(t, "Scan", request(t, map[string]any{
		"TableName": table, "FilterExpression": c.text, "ConsistentRead": true,
		"ExpressionAttributeNames": c.names, "ExpressionAttributeValues": c.values,
	}))
	if c.fault(t, "Scan", "FilterExpression", got) {
		return
	}
	passed := decode(t, got.body).(map[string]any)["Count"].(json.Number) == "1"
	if strconv.FormatBool(passed) != c.want {
		t.Errorf("%s: filter %s is %t", c.where, c.text, passed)
	}
}

// testdata/updates.txt: each line is an update of the item; then what it changes, null standing for what is gone, or an error.
func TestUpdates(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	for _, c := range readLines(t, "testdata/updates.txt") {
		c.store(t, table)
		got := call(t, "UpdateItem", request(t, map[string]any{
			"TableName": table, "Key": jsonObject{"pk": json.RawMessage(lineKey)}, "UpdateExpression": c.text,
			"ExpressionAttributeNames": c.names, "ExpressionAttributeValues": c.values, "ReturnValues": "ALL_NEW",
		}))
		want := c.item
		if !c.fault(t, "UpdateItem", "UpdateExpression", got) {
			want = patched(t, c.item, c.want)
			c.expect(t, "ALL_NEW", decode(t, got.body).(map[string]any)["Attributes"], want.with("pk", lineKey))
		}
		item := mustCall(t, "GetItem", request(t, map[string]any{
			"TableName": table, "Key": jsonObject{"pk": json.RawMessage(lineKey)}, "ConsistentRead": true,
		}))["Item"]
		c.expect(t, "the item", item, want.with("pk", lineKey))
	}
}

// patched returns the item with the members of the patch, without those that are null.
func patched(t *testing.T, item jsonObject, patch string) jsonObject {
	t.Helper()
	out := jsonObject{}
	for name, v := range item {
		out[name] = v
	}
	for name, v := range parseObject(t, patch) {
		if string(v) == "null" {
			delete(out, name)
			continue
		}
		out[name] = v
	}
	return out
}

func (c lineCase) expect(t *testing.T, what string, got any, want jsonObject) {
	t.Helper()
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if at := (matcher{}).differ("", got, decode(t, text)); at != "" {
		t.Errorf("%s: %s: %s: %s", c.where, clip(c.text), what, at)
	}
}

// testdata/projections.txt: each line is a projection and what it leaves of the item, or an error.
func TestProjections(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	var stored string
	for _, c := range readLines(t, "testdata/projections.txt") {
		if now := fmt.Sprint(c.item); now != stored {
			c.store(t, table)
			stored = now
		}
		key := jsonObject{"pk": json.RawMessage(lineKey)}
		c.runProjection(t, "GetItem", map[string]any{"TableName": table, "Key": key})
		c.runProjection(t, "Scan", map[string]any{"TableName": table})
		c.runProjection(t, "Query", map[string]any{
			"TableName": table, "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": jsonObject{":pk": json.RawMessage(lineKey)},
		})
	}
}

func (c lineCase) runProjection(t *testing.T, operation string, input map[string]any) {
	t.Helper()
	input["ProjectionExpression"] = c.text
	input["ExpressionAttributeNames"] = c.names
	input["ConsistentRead"] = true
	got := call(t, operation, request(t, input))
	if c.fault(t, operation, "ProjectionExpression", got) {
		return
	}
	answer := decode(t, got.body).(map[string]any)
	item := answer["Item"]
	if items, ok := answer["Items"].([]any); ok && len(items) == 1 {
		item = items[0]
	}
	c.expect(t, operation, item, parseObject(t, c.want))
}

// testdata/key_conditions.txt: each line is a key condition on items whose sort keys are 1 to 9, or the words one to nine, and
// the sort keys that it selects in order, or none, or an error. Each is run forwards, backwards, and in pages of two.
func TestKeyConditions(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S", "sk:N"), lsi("words", "word:S"))
	words := strings.Fields("one two three four five six seven eight nine")
	for i, word := range words {
		mustCall(t, "PutItem", fmt.Sprintf(`{"TableName": %q, "Item": {"pk": {"S": "p"}, "sk": {"N": "%d"}, "word": {"S": %q}, "map": {"M": {}}}}`,
			table, i+1, word))
	}
	for _, c := range readLines(t, "testdata/key_conditions.txt") {
		input := map[string]any{
			"TableName": table, "KeyConditionExpression": c.text,
			"ExpressionAttributeNames": c.names, "ExpressionAttributeValues": c.values,
		}
		sort := "sk"
		if strings.Contains(c.text, "word") {
			input["IndexName"], sort = "words", "word"
		}
		c.runKeyCondition(t, input, sort)
	}
}

func (c lineCase) runKeyCondition(t *testing.T, input map[string]any, sort string) {
	t.Helper()
	got := call(t, "Query", request(t, input))
	if c.fault(t, "Query", "KeyConditionExpression", got) {
		return
	}
	if c.want == "none" {
		c.want = ""
	}
	if found := strings.Join(sortKeys(decode(t, got.body), sort), " "); found != c.want {
		t.Errorf("%s: %s: got %s, want %s", c.where, c.text, found, c.want)
	}
	for _, forward := range []bool{true, false} {
		want := strings.Fields(c.want)
		if !forward {
			want = reversed(want)
		}
		if pages := c.pages(t, input, sort, forward); strings.Join(pages, " ") != strings.Join(want, " ") {
			t.Errorf("%s: %s in pages, forward %t: got %s, want %s", c.where, c.text, forward, pages, want)
		}
	}
}

// pages returns the sort keys of all pages of two.
func (c lineCase) pages(t *testing.T, input map[string]any, sort string, forward bool) []string {
	t.Helper()
	var found []string
	page := map[string]any{"Limit": 2, "ScanIndexForward": forward}
	for name, v := range input {
		page[name] = v
	}
	for range 10 {
		answer := mustCall(t, "Query", request(t, page))
		found = append(found, sortKeys(answer, sort)...)
		last, more := answer["LastEvaluatedKey"]
		if !more {
			return found
		}
		page["ExclusiveStartKey"] = last
	}
	t.Fatalf("%s: more pages than items", c.where)
	return nil
}

func sortKeys(answer any, sort string) []string {
	var found []string
	for _, item := range answer.(map[string]any)["Items"].([]any) {
		for _, v := range item.(map[string]any)[sort].(map[string]any) {
			found = append(found, fmt.Sprint(v))
		}
	}
	return found
}

func reversed(in []string) []string {
	out := make([]string, 0, len(in))
	for i := len(in) - 1; i >= 0; i-- {
		out = append(out, in[i])
	}
	return out
}

// testdata/numbers.txt: each line is a number and how it is told, or an error.
func TestNumbers(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	for _, c := range readLines(t, "testdata/numbers.txt") {
		text := strings.Trim(c.text, "'")
		value := jsonObject{"n": json.RawMessage(fmt.Sprintf(`{"N": %q}`, text)), "set": json.RawMessage(fmt.Sprintf(`{"NS": [%q]}`, text))}
		got := call(t, "PutItem", request(t, map[string]any{"TableName": table, "Item": value.with("pk", lineKey)}))
		if c.fault(t, "PutItem", "", got) {
			continue
		}
		item := mustCall(t, "GetItem", fmt.Sprintf(`{"TableName": %q, "Key": {"pk": %s}}`, table, lineKey))["Item"]
		c.expect(t, "the item", item, jsonObject{
			"pk": json.RawMessage(lineKey), "n": json.RawMessage(fmt.Sprintf(`{"N": %q}`, c.want)), "set": json.RawMessage(fmt.Sprintf(`{"NS": [%q]}`, c.want)),
		})
	}
}

// Items with keys out of testdata/number_order.txt, ascending in the file, are read in that order.
func TestNumberOrder(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S", "sk:N"))
	var want []string
	for i, c := range readLines(t, "testdata/number_order.txt") {
		want = append(want, c.want)
		mustCall(t, "PutItem", fmt.Sprintf(`{"TableName": %q, "Item": {"pk": {"S": "p"}, "sk": {"N": %q}, "i": {"N": "%d"}}}`, table, c.text, i))
	}
	answer := mustCall(t, "Query", fmt.Sprintf(
		`{"TableName": %q, "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "p"}}}`, table))
	if got := sortKeys(answer, "sk"); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
