package dynamodb

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/kv/pebblekv"
)

// BenchmarkReads reads some of 20,000 items, most of which have left the memtable, in another place each time.
func BenchmarkReads(b *testing.B) {
	const items, partition = 20_000, 20
	e, err := pebblekv.Open(pebblekv.Config{Dir: b.TempDir(), MemtableBytes: 1 << 20, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	s := newServiceOn(b, e)
	s.run(b, nil, s.ops["CreateTable"], `{"TableName":"perf","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"experiment_id","AttributeType":"S"},{"AttributeName":"created_at","AttributeType":"S"}],`+
		`"GlobalSecondaryIndexes":[{"IndexName":"by_time","KeySchema":[{"AttributeName":"experiment_id","KeyType":"HASH"},{"AttributeName":"created_at","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}]}`)
	for i := range items {
		s.run(b, nil, s.ops["PutItem"], `{"TableName":"perf","Item":`+experiment(i, partition)+`}`)
	}
	for _, c := range []struct {
		name, op string
		body     func(i int) string
	}{
		{"Query20", "Query", func(i int) string {
			return fmt.Sprintf(`{"TableName":"perf","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"exp-%06d"}}}`, i%(items/partition))
		}},
		{"IndexQuery20", "Query", func(i int) string {
			return fmt.Sprintf(`{"TableName":"perf","IndexName":"by_time","KeyConditionExpression":"experiment_id = :e","ExpressionAttributeValues":{":e":{"S":"E-%05d"}},"ScanIndexForward":false,"Limit":20}`, i%(items/100))
		}},
		{"BatchGet100", "BatchGetItem", func(i int) string {
			keys := make([]string, 100)
			for j := range keys {
				k := (i + j*157) % items
				keys[j] = fmt.Sprintf(`{"pk":{"S":"exp-%06d"},"sk":{"N":"%d"}}`, k/partition, k%partition)
			}
			return `{"RequestItems":{"perf":{"Keys":[` + strings.Join(keys, ",") + `]}}}`
		}},
		{"Scan", "Scan", func(i int) string {
			return fmt.Sprintf(`{"TableName":"perf","Segment":%d,"TotalSegments":8,"FilterExpression":"#m.accuracy > :a","ExpressionAttributeNames":{"#m":"metrics"},"ExpressionAttributeValues":{":a":{"N":"0.99"}}}`, i%8)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			bodies := make([]string, 1000)
			for i := range bodies {
				bodies[i] = c.body(i * 7919)
			}
			var dst []byte
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				n++
				dst = s.run(b, dst[:0], s.ops[c.op], bodies[n%len(bodies)])
			}
		})
	}
}

// experiment is item i, of 400 bytes.
func experiment(i, partition int) string {
	h := i * 2654435761 % 100_000
	return fmt.Sprintf(`{"pk":{"S":"exp-%06d"},"sk":{"N":"%d"},"experiment_id":{"S":"E-%05d"},"created_at":{"S":"2026-01-%02dT12:%02d:%02dZ"},`+
		`"name":{"S":"resnet50-imagenet-%06d"},"status":{"S":"completed"},"counter":{"N":"0"},`+
		`"config":{"M":{"batch_size":{"N":"128"},"learning_rate":{"N":"0.0003"},"epochs":{"N":"42"}}},`+
		`"metrics":{"M":{"accuracy":{"N":"0.%05d1"},"f1_score":{"N":"0.%05d1"},"loss":{"N":"0.%05d1"}}},"notes":{"S":"%0150d"}}`,
		i/partition, i%partition, i/100, 1+i/3600%28, i/60%60, i%60, i, h, h*7%100_000, h*3%100_000, i)
}
