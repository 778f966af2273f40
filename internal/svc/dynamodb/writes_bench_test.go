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

// BenchmarkWrites is what stands above the engine of writes: the engine under it reads from a map and throws away what is written.
// Of BatchWriteItem and TransactWriteItems the requests are of 25 and 4 items.
func BenchmarkWrites(b *testing.B) {
	still := &stillEngine{Engine: memkv.Open(), rows: map[string][]byte{}}
	s := newServiceOn(b, still)
	s.run(b, nil, s.ops["CreateTable"], `{"TableName":"perf","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}]}`)
	put := func(i int) string { return `"TableName":"perf","Item":` + experiment(i, 20) }
	const key = `"TableName":"perf","Key":{"pk":{"S":"exp-000007"},"sk":{"N":"3"}}`
	const update = key + `,"UpdateExpression":"SET #s = :s ADD #c :one","ConditionExpression":"attribute_exists(#k)","ExpressionAttributeNames":{"#s":"status","#c":"counter","#k":"pk"},"ExpressionAttributeValues":{":s":{"S":"running"},":one":{"N":"1"}}`
	s.run(b, nil, s.ops["PutItem"], "{"+put(7*20+3)+"}")
	still.frozen = true

	batch := make([]string, 25)
	for i := range batch {
		batch[i] = `{"PutRequest":{"Item":` + experiment(1000+i*7919, 20) + `}}`
	}
	tx := fmt.Sprintf(`{"TransactItems":[{"Put":{%s}},{"Put":{%s}},{"Update":{%s}},{"ConditionCheck":{"TableName":"perf","Key":{"pk":{"S":"exp-000008"},"sk":{"N":"4"}},"ConditionExpression":"attribute_not_exists(pk)"}}]`, put(2000), put(2001), update)
	for _, c := range []struct{ name, op, body string }{
		{"PutItem", "PutItem", "{" + put(1000) + "}"},
		{"UpdateItem", "UpdateItem", "{" + update + "}"},
		{"DeleteItem", "DeleteItem", "{" + key + "}"},
		{"BatchWriteItem25", "BatchWriteItem", `{"RequestItems":{"perf":[` + strings.Join(batch, ",") + `]}}`},
		{"TransactWriteItems4", "TransactWriteItems", tx + "}"},
		{"TransactWriteItems4Token", "TransactWriteItems", tx + `,"ClientRequestToken":"3e1c9b2e-7f5d-4a53-9d0f-1c2b3a4d5e6f"}`},
	} {
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
