package workload

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/bench/dist"
)

func testConfig(size Size) *Config {
	return &Config{Table: "t", IndexTable: "g", Items: 1000, IndexItems: 1000, PerPartition: 20, Size: size, Segments: 2,
		Keys: dist.Uniform(1000), Inserted: dist.NewCounter(1000)}
}

func parseSize(t *testing.T, text string) Size {
	t.Helper()
	s, err := ParseSize(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Every body is JSON, keys of fresh items do not repeat, items have about their size.
func TestBodies(t *testing.T) {
	for _, size := range []string{"100", "130", "249", "250", "400", "4096", "100-4096", "1000-2000:zipfian"} {
		for _, random := range []bool{false, true} {
			cfg := testConfig(parseSize(t, size))
			cfg.Random, cfg.Consistent = random, random
			g, c := NewGenerator(cfg, 3, 5<<40), new(Cursor)
			for _, op := range Operations() {
				for o := op; o != nil; o = o.Then {
					if body := o.Body(g, c, nil); !json.Valid(body) {
						t.Errorf("%s: not JSON: %s", op.Name, body)
					}
				}
			}
			if body := cfg.AppendLoad(nil, "t", 0, 25); !json.Valid(body) {
				t.Errorf("load: not JSON: %s", body)
			}
			for i := range uint64(50) {
				var it map[string]map[string]any
				if err := json.Unmarshal(cfg.appendItem(nil, freshKey, i), &it); err != nil {
					t.Fatal(err)
				}
				if n, want := countBytes(it), cfg.Size.Of(i); n < want*85/100 || n > want*115/100 {
					t.Errorf("size %s: item %d counts %d, want %d", size, i, n, want)
				}
			}
		}
	}
}

func TestFreshKeysDiffer(t *testing.T) {
	seen, cfg := map[string]bool{}, testConfig(FixedSize(400))
	for i := uint64(0); i < 10_000; i++ {
		k := string(cfg.appendKey(nil, freshKey, 5<<40|i))
		if seen[k] {
			t.Fatalf("key %s again", k)
		}
		seen[k] = true
	}
}

// countBytes counts an item as DynamoDB does, numbers at half their digits.
func countBytes(it map[string]map[string]any) (n int) {
	for name, v := range it {
		n += len(name)
		for typ, x := range v {
			switch typ {
			case "S":
				n += len(x.(string))
			case "N":
				n += len(x.(string))/2 + 1
			case "M":
				n += 3
				for k, e := range x.(map[string]any) {
					n += 1 + countBytes(map[string]map[string]any{k: e.(map[string]any)})
				}
			}
		}
	}
	return n
}

func TestParseSize(t *testing.T) {
	for _, text := range []string{"100", "409600", "100-4096", "100-4096:zipfian"} {
		if s := parseSize(t, text); s.String() != text {
			t.Errorf("%s became %s", text, s)
		}
	}
	if s := parseSize(t, "200-300:uniform"); s.String() != "200-300" || s.Min() != 200 {
		t.Errorf("got %s", s)
	}
	for _, bad := range []string{"", "x", "99", "409601", "300-200", "100-x", "100-200:normal", "-5"} {
		if _, err := ParseSize(bad); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
}

// TestSizes: a range is covered, evenly or with many small ones, and the size of an item is always the same.
func TestSizes(t *testing.T) {
	for text, half := range map[string][2]float64{"1000-1999": {0.45, 0.55}, "1000-1999:zipfian": {0.85, 0.97}} {
		s, small := parseSize(t, text), 0
		for i := range uint64(10_000) {
			n := s.Of(i)
			if n < 1000 || n > 1999 || n != s.Of(i) {
				t.Fatalf("%s: item %d has %d bytes, then %d", text, i, n, s.Of(i))
			}
			if n < 1500 {
				small++
			}
		}
		if share := float64(small) / 10_000; share < half[0] || share > half[1] {
			t.Errorf("%s: %.2f are in the lower half", text, share)
		}
	}
}

func TestBatchGetKeysDiffer(t *testing.T) {
	for _, items := range []uint64{100, 127, 128, 200, 2000, 12345} {
		cfg := testConfig(FixedSize(400))
		cfg.Items = items
		var req struct {
			RequestItems map[string]struct{ Keys []json.RawMessage }
		}
		if err := json.Unmarshal(batchGet(NewGenerator(cfg, 1, 0), new(Cursor), nil), &req); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, k := range req.RequestItems["t"].Keys {
			seen[string(k)] = true
		}
		if len(seen) != batchGetItems {
			t.Errorf("%d items: %d different keys", items, len(seen))
		}
	}
}

func TestTransactionNamesAnItemOnce(t *testing.T) {
	cfg := testConfig(FixedSize(400))
	cfg.Keys = dist.Uniform(1) // always the same
	body := string(transactWrite(NewGenerator(cfg, 1, 0), new(Cursor), nil))
	if n := strings.Count(body, `"pk":{"S":"exp-000000"},"sk":{"N":"0"}`); n != 1 {
		t.Errorf("item 0 is named %d times in %s", n, body)
	}
}

func TestPicking(t *testing.T) {
	body := []byte(`{"Items":[{"a":{"S":"}{\""}}],"ScannedCount": 42,"LastEvaluatedKey": {"pk":{"S":"x}\"y"}}}`)
	if got := string(object(body, `"LastEvaluatedKey"`)); got != `{"pk":{"S":"x}\"y"}}` {
		t.Errorf("object %q", got)
	}
	if got := number(body, `"ScannedCount"`); got != 42 {
		t.Errorf("number %d", got)
	}
	if object(body, `"None"`) != nil || object(body, `"Items"`) != nil || number(body, `"Items"`) != 0 {
		t.Error("something from nowhere")
	}
	for text, want := range map[string]string{
		`{"Item":{"counter":{"N":"17"}}}`: "17", `{"Item":{"counter": {"N": "18"}}}`: "18",
		`{"Item":{"counter":{"S":"17"}}}`: "", `{"Item":{"counter":{"N":"1`: "", `{}`: "",
	} {
		if got := string(attributeNumber([]byte(text), `"counter"`)); got != want {
			t.Errorf("%s: counter %q", text, got)
		}
	}
}

func TestRemaining(t *testing.T) {
	for _, tt := range []struct{ target, body, want string }{
		{"BatchGetItem", `{"Responses":{},"UnprocessedKeys":{}}`, ""},
		{"BatchGetItem", `{"UnprocessedKeys": {"t":{"Keys":[{}]}},"Responses":{}}`, `{"t":{"Keys":[{}]}}`},
		{"BatchWriteItem", `{"UnprocessedItems":{"t":[{}]}}`, `{"t":[{}]}`},
		{"BatchWriteItem", `{}`, ""},
		{"PutItem", `{"UnprocessedItems":{"t":[{}]}}`, ""},
	} {
		if got := string(Remaining(tt.target, []byte(tt.body))); got != tt.want {
			t.Errorf("%s %s: %q", tt.target, tt.body, got)
		}
	}
}

func TestParseMix(t *testing.T) {
	for text, want := range map[string]string{
		"get": "get:1", "get:90, update:10": "get:90 update:10", "ycsba": "get:50 update:50", "ycsbd": "get:95 insert:5",
		"ycsbe": "range:95 insert:5", "ycsbf": "get:50 rmw:50",
	} {
		m, err := ParseMix(text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range m.Parts {
			got = append(got, fmt.Sprintf("%s:%d", p.Operation.Name, p.Weight))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s is %v", text, got)
		}
	}
	for _, bad := range []string{"", "nope", "get:0", "get:x", "get:1,get:2", "get,,put"} {
		if _, err := ParseMix(bad); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
	for _, p := range Presets() {
		m, err := ParseMix(p.Name)
		if err != nil || p.About == "" {
			t.Errorf("%s: %v", p.Name, err)
		}
		if m.Indexed() {
			t.Errorf("%s needs the index", p.Name)
		}
	}
}

func TestPick(t *testing.T) {
	m, err := ParseMix("get:90,update:7,put:3")
	if err != nil {
		t.Fatal(err)
	}
	g, count := NewGenerator(testConfig(FixedSize(400)), 1, 0), make([]float64, 3)
	for range 100_000 {
		count[g.Pick(m)]++
	}
	for i := range m.Parts {
		if got, want := count[i]/100_000, m.Share(i); got < want*0.9 || got > want*1.1 {
			t.Errorf("part %d has a share of %.3f, want %.3f", i, got, want)
		}
	}
}

func TestRequestsAllocateNothing(t *testing.T) {
	g, c := NewGenerator(testConfig(FixedSize(400)), 1, 0), new(Cursor)
	b := make([]byte, 0, 64<<10)
	for _, op := range Operations() {
		if op.Name == "insert" {
			continue // its keys are handed out under a lock, and remembered
		}
		if n := testing.AllocsPerRun(20, func() { b = op.Body(g, c, b[:0]) }); n > 0 {
			t.Errorf("%s: %v allocations", op.Name, n)
		}
	}
}
