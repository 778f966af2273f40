package dynamodb

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/memkv"
)

// writeBodies are requests on a stillEngine, and the most allocations that each may take from its bytes to the answer's. Of
// BatchWriteItem and TransactWriteItems they are of 25 and 4 items.
func writeBodies() []writeBody {
	put := func(i int) string { return `"TableName":"perf","Item":` + experiment(i, 20) }
	const key = `"TableName":"perf","Key":{"pk":{"S":"exp-000007"},"sk":{"N":"3"}}`
	const update = key + `,"UpdateExpression":"SET #s = :s ADD #c :one","ConditionExpression":"attribute_exists(#k)","ExpressionAttributeNames":{"#s":"status","#c":"counter","#k":"pk"},"ExpressionAttributeValues":{":s":{"S":"running"},":one":{"N":"1"}}`
	batch := make([]string, 25)
	for i := range batch {
		batch[i] = `{"PutRequest":{"Item":` + experiment(1000+i*7919, 20) + `}}`
	}
	tx := fmt.Sprintf(`{"TransactItems":[{"Put":{%s}},{"Put":{%s}},{"Update":{%s}},{"ConditionCheck":{"TableName":"perf","Key":{"pk":{"S":"exp-000008"},"sk":{"N":"4"}},"ConditionExpression":"attribute_not_exists(pk)"}}]`, put(2000), put(2001), update)
	return []writeBody{
		{"PutItem", "PutItem", "{" + put(1000) + "}", 6},
		{"UpdateItem", "UpdateItem", "{" + update + "}", 30},
		{"DeleteItem", "DeleteItem", "{" + key + "}", 6},
		{"BatchWriteItem25", "BatchWriteItem", `{"RequestItems":{"perf":[` + strings.Join(batch, ",") + `]}}`, 56},
		{"TransactWriteItems4", "TransactWriteItems", tx + "}", 56},
		{"TransactWriteItems4Token", "TransactWriteItems", tx + `,"ClientRequestToken":"3e1c9b2e-7f5d-4a53-9d0f-1c2b3a4d5e6f"}`, 64},
	}
}

type writeBody struct {
	name, op, body string
	allocations    float64
}

// newStillService returns a service on a stillEngine with the item that writeBodies change.
func newStillService(t testing.TB) *benchService {
	still := &stillEngine{Engine: memkv.Open(), rows: map[string][]byte{}}
	s := newServiceOn(t, still)
	s.run(t, nil, s.ops["CreateTable"], `{"TableName":"perf","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}]}`)
	s.run(t, nil, s.ops["PutItem"], `{"TableName":"perf","Item":`+experiment(7*20+3, 20)+`}`)
	still.frozen = true
	return s
}

// BenchmarkWrites is what stands above the engine of writes.
func BenchmarkWrites(b *testing.B) {
	s := newStillService(b)
	for _, c := range writeBodies() {
		b.Run(c.name, func(b *testing.B) {
			var dst []byte
			op, body := s.ops[c.op], []byte(c.body)
			b.ReportAllocs()
			for b.Loop() {
				dst = s.answer(b, dst[:0], op, body)
			}
		})
	}
}

// TestWritesAllocate: neither rows nor keys nor what is decoded are allocated for each write anew.
func TestWritesAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector empties pools")
	}
	s := newStillService(t)
	for _, c := range writeBodies() {
		dst, op, body := make([]byte, 0, 1<<10), s.ops[c.op], []byte(c.body)
		if n := testing.AllocsPerRun(100, func() { dst = s.answer(t, dst[:0], op, body) }); n > c.allocations {
			t.Errorf("%s: %v allocations, want at most %v", c.name, n, c.allocations)
		}
	}
}

// A stillEngine is an engine whose updates find rows in a map. Once it is frozen it takes no changes.
type stillEngine struct {
	kv.Engine
	rows   map[string][]byte
	frozen bool
	vals   [][]byte
	batch  kv.Batch
}

func (e *stillEngine) Update(ctx context.Context, t kv.Txn, f func(vals [][]byte, b *kv.Batch) error) error {
	if len(t.Fence) == 0 {
		return e.Engine.Update(ctx, t, f)
	}
	e.vals = e.vals[:0]
	for _, k := range t.Keys {
		e.vals = append(e.vals, e.rows[string(k)])
	}
	e.batch.Reset()
	err := f(e.vals, &e.batch)
	if !e.frozen {
		for _, p := range e.batch.Puts {
			e.rows[string(p.Key)] = bytes.Clone(p.Value)
		}
	}
	return err
}
