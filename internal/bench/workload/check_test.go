package workload

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/bench/dist"
)

// answers renders the right answers for cursor c, as a server would give them.
func answers(cfg *Config, operation string, c *Cursor) string {
	list := func(from, n uint64) string {
		var all []string
		for i := from; i < from+n; i++ {
			all = append(all, string(cfg.appendItem(nil, preparedKey, i)))
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	switch operation {
	case "get", "rmw":
		return `{"Item":` + string(cfg.appendItem(nil, preparedKey, c.key)) + `}`
	case "query":
		from := c.key / 20 * 20
		return fmt.Sprintf(`{"Count":20,"ScannedCount":20,"Items":%s}`, list(from, 20))
	case "range":
		n := min(uint64(c.asked), 20-c.key%20)
		return fmt.Sprintf(`{"Count":%d,"Items":%s}`, n, list(c.key, n))
	case "gsi":
		var all []string
		for i := c.key + 99; i > c.key+79; i-- {
			all = append(all, string(cfg.appendItem(nil, preparedKey, i)))
		}
		return fmt.Sprintf(`{"Count":20,"Items":[%s],"LastEvaluatedKey":{}}`, strings.Join(all, ","))
	case "batchget":
		return fmt.Sprintf(`{"Responses":{"t":%s},"UnprocessedKeys":{}}`, list(300, 100))
	case "scan":
		for i := range uint64(10_000) { // the first that passes
			if it := string(cfg.appendItem(nil, preparedKey, i)); strings.Contains(it, `"accuracy":{"N":"0.99`) {
				return fmt.Sprintf(`{"Count":1,"ScannedCount":20,"Items":[%s]}`, it)
			}
		}
	case "scanfrom":
		return fmt.Sprintf(`{"Count":1,"Items":%s}`, list(7, 1))
	case "list":
		return `{"TableNames":[]}`
	}
	return `{}`
}

// TestCheck: right answers are right, also in another order of attributes; each way to spoil them is seen.
func TestCheck(t *testing.T) {
	cfg := testConfig(FixedSize(400))
	for _, op := range Operations() {
		g, c := NewGenerator(cfg, 9, 0), new(Cursor)
		op.Body(g, c, nil)
		asked := *c
		right := answers(cfg, op.Name, c)
		if err := g.CheckAnswer(op, c, []byte(right)); err != nil {
			t.Errorf("%s: %v in %s", op.Name, err, right)
		}
		*c = asked
		var any map[string]any
		if err := json.Unmarshal([]byte(right), &any); err != nil {
			t.Fatal(err)
		}
		sorted, _ := json.MarshalIndent(any, "", " ")
		if err := g.CheckAnswer(op, c, sorted); err != nil {
			t.Errorf("%s, sorted and indented: %v", op.Name, err)
		}
		*c = asked
		if err := g.CheckAnswer(op, c, []byte(right[:len(right)-1])); err == nil {
			t.Errorf("%s: half an answer passed", op.Name)
		}
	}
}

func TestCheckSpoiled(t *testing.T) {
	for _, tt := range []struct {
		operation, old, new string
		want                string // part of the error
	}{
		{"get", `"Item"`, `"Itm"`, "is missing"},
		{"get", `"sk":{"N":"`, `"sk":{"N":"1`, "got another"},
		{"get", `"pk":{"S":"exp`, `"pk":{"S":"new`, "got another"},
		{"get", `0.0003`, `0.0004`, "config is not what was written"},
		{"get", `learning rate was`, `learning rate is`, "notes is not what was written"},
		{"get", `,"notes"`, `,"more":{"S":""},"notes"`, "attributes"},
		{"get", `"counter":{"N":"0"}`, `"counter":{"N":"5"}`, ""},
		{"get", `"counter":{"N":"0"}`, `"counter":{"N":"x"}`, "has the counter"},
		{"get", `"status":{"S":"`, `"status":{"S":"X`, "has the status"},
		{"rmw", `"Item"`, `"Itm"`, "is missing"},
		{"query", `"Count":20,"S`, `"Count":19,"S`, "Count is not"},
		{"query", `"Count":20,"S`, `"S`, "Count is not"},
		{"query", `"sk":{"N":"0"}`, `"sk":{"N":"1"}`, ""}, // found by content or by order
		{"range", `"Items":[`, `"Items":[{},`, "Count is not"},
		{"gsi", `"created_at":{"S":"2024`, `"created_at":{"S":"2023`, ""},
		{"gsi", `"E-`, `"F-`, ""},
		{"batchget", `{"t":`, `{"u":`, "0 items of 100"},
		{"batchget", `"sk":{"N":"1"}`, `"sk":{"N":"0"}`, "one twice"},
		{"scan", `"N":"0.99`, `"N":"0.98`, ""},
		{"scan", `"Count":1`, `"Count":2`, "Count is not"},
		{"scanfrom", `learning rate was`, `learning rate is`, "notes"},
		{"put", `{}`, `[]`, "not a JSON object"},
	} {
		cfg := testConfig(FixedSize(400))
		op, g, c := FindOperation(tt.operation), NewGenerator(cfg, 9, 0), new(Cursor)
		op.Body(g, c, nil)
		right := answers(cfg, op.Name, c)
		spoiled := strings.Replace(right, tt.old, tt.new, 1)
		if spoiled == right {
			t.Fatalf("%s has no %s", right, tt.old)
		}
		err := g.CheckAnswer(op, c, []byte(spoiled))
		if tt.operation == "get" && strings.Contains(tt.new, `"5"`) { // an update is no mistake
			if err != nil {
				t.Errorf("an updated item: %v", err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s with %s: error %v, want one with %q", tt.operation, tt.new, err, tt.want)
		}
	}
}

// TestCheckBehindTheEnd: where items are being inserted a partition may be incomplete.
func TestCheckBehindTheEnd(t *testing.T) {
	cfg := testConfig(FixedSize(400))
	c := &Cursor{key: 1005, asked: 20}
	one := string(cfg.appendItem(nil, preparedKey, 1003))
	body := fmt.Sprintf(`{"Count":1,"Items":[%s]}`, one)
	if err := NewGenerator(cfg, 1, 0).CheckAnswer(FindOperation("query"), c, []byte(body)); err != nil {
		t.Error(err)
	}
	c.key = 985
	if err := NewGenerator(cfg, 1, 0).CheckAnswer(FindOperation("query"), c, []byte(body)); err == nil {
		t.Error("a loaded partition with one item passed")
	}
}

// TestReadModifyWrite: what is written follows from what was read.
func TestReadModifyWrite(t *testing.T) {
	cfg := testConfig(FixedSize(400))
	cfg.Keys = dist.Uniform(1)
	op, g, c := FindOperation("rmw"), NewGenerator(cfg, 1, 0), new(Cursor)
	op.Body(g, c, nil)
	op.Answered(c, []byte(`{"Item":{"counter":{"N":"41"}}}`))
	body := string(op.Then.Body(g, c, nil))
	if !strings.Contains(body, `":c":{"N":"42"}`) || !strings.Contains(body, `"pk":{"S":"exp-000000"}`) {
		t.Errorf("body %s", body)
	}
}

// TestTree: the order of members and spaces do not matter, all else does.
func TestTree(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{`{"a":{"S":"x"},"b":[1,2,true]}`, ` {"b" : [1, 2, true], "a":{"S":"\u0078"}}`, true},
		{`{}`, `{}`, true},
		{`[]`, `{}`, false},
		{`{"a":1}`, `{"b":1}`, false},
		{`{"a":1}`, `{"a":1,"b":1}`, false},
		{`{"a":1,"b":2}`, `{"a":1}`, false},
		{`[1,2]`, `[2,1]`, false},
		{`["1"]`, `[1]`, false},
		{`null`, `false`, false},
	} {
		var a, b tree
		x, ok := a.parse([]byte(tt.a))
		y, ok2 := b.parse([]byte(tt.b))
		if !ok || !ok2 || x.equal(y) != tt.same || y.equal(x) != tt.same {
			t.Errorf("%s and %s: parsed %v, %v; equal %v", tt.a, tt.b, ok, ok2, x.equal(y))
		}
	}
	for _, bad := range []string{``, `{`, `{"a"`, `{"a":}`, `[1,`, `{} {}`, `{1:2}`} {
		if _, ok := new(tree).parse([]byte(bad)); ok {
			t.Errorf("%s is well formed", bad)
		}
	}
	if (value{}).get("a").len() != 0 || (value{}).equal(value{}) {
		t.Error("what is not there has something")
	}
}

func TestCheckingAllocatesLittle(t *testing.T) {
	cfg := testConfig(FixedSize(400))
	op, g, c := FindOperation("query"), NewGenerator(cfg, 9, 0), new(Cursor)
	op.Body(g, c, nil)
	right := []byte(answers(cfg, "query", c))
	n := testing.AllocsPerRun(20, func() {
		if err := g.CheckAnswer(op, c, right); err != nil {
			t.Fatal(err)
		}
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCheck(b *testing.B) {
	cfg := testConfig(FixedSize(400))
	op, g, c := FindOperation("get"), NewGenerator(cfg, 9, 0), new(Cursor)
	op.Body(g, c, nil)
	right := []byte(answers(cfg, "get", c))
	b.ReportAllocs()
	for b.Loop() {
		if err := g.CheckAnswer(op, c, right); err != nil {
			b.Fatal(err)
		}
	}
}
