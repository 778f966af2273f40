package dynamodb

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/db/lifecycle"
	"github.com/grammedb/gramme/internal/db/query"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/front/wire"
	"github.com/grammedb/gramme/internal/job"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/memkv"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// BenchmarkOperations runs whole operations, from the body's bytes to the answer's, without HTTP and in memory.
func BenchmarkOperations(b *testing.B) {
	s := newBenchService(b)
	for _, c := range []struct{ name, op, body string }{
		{"GetItem", "GetItem", `{"TableName":"perf","Key":{"pk":{"S":"exp-000007"},"sk":{"N":"3"}},"ConsistentRead":false}`},
		{"PutItem400K", "PutItem", `{"TableName":"perf","Item":{"pk":{"S":"large"},"sk":{"N":"1"},"data":{"S":"` + strings.Repeat("x", 399<<10) + `"}}}`},
		{"GetItem400K", "GetItem", `{"TableName":"perf","Key":{"pk":{"S":"large"},"sk":{"N":"1"}}}`},
		{"PutItem", "PutItem", `{"TableName":"perf","Item":` + benchItem("exp-000007", 3) + `}`},
		{"PutItemNew", "PutItem", ""}, // a new key each time, unlike PutItem
		{"UpdateItem", "UpdateItem", `{"TableName":"perf","Key":{"pk":{"S":"exp-000007"},"sk":{"N":"3"}},"UpdateExpression":"SET #s = :s ADD #c :one","ConditionExpression":"attribute_exists(#k)","ExpressionAttributeNames":{"#s":"status","#c":"counter","#k":"pk"},"ExpressionAttributeValues":{":s":{"S":"running"},":one":{"N":"1"}}}`},
		{"Query20", "Query", `{"TableName":"perf","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"exp-000007"}}}`},
		{"Scan1000", "Scan", `{"TableName":"perf","FilterExpression":"#m.accuracy > :a","ExpressionAttributeNames":{"#m":"metrics"},"ExpressionAttributeValues":{":a":{"N":"0.99"}}}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			op := s.ops[c.op]
			var dst []byte
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				body := c.body
				if n++; body == "" {
					body = `{"TableName":"perf","Item":` + benchItem("new-"+strconv.Itoa(n*7919%1000003), n) + `}`
				}
				dst = s.run(b, dst[:0], op, body)
			}
		})
	}
}

type benchService struct {
	ops   map[string]*api.Op
	arena attr.Arena

	values []byte
}

func (s *benchService) run(b testing.TB, dst []byte, op *api.Op, body string) []byte {
	return s.answer(b, dst, op, []byte(body))
}

func (s *benchService) answer(b testing.TB, dst []byte, op *api.Op, body []byte) []byte {
	codec := wire.Codec{Values: &s.values}
	in, err := codec.Decode(op, body)
	if err != nil {
		b.Fatal(err)
	}
	if err := api.Validate(op, in); err != nil {
		b.Fatal(err)
	}
	s.arena.Reset()
	out, err := op.Run(context.Background(), &api.Call{Region: "us-east-1", Account: "000000000000", Time: time.Now(), Arena: &s.arena}, in)
	if err != nil {
		b.Fatal(err)
	}
	return codec.AppendOutput(dst, op, out)
}

func benchItem(pk string, sk int) string {
	return fmt.Sprintf(`{"pk":{"S":%q},"sk":{"N":"%d"},"status":{"S":"completed"},"counter":{"N":"1"},"notes":{"S":"%0200d"},"metrics":{"M":{"accuracy":{"N":"0.9%d"},"loss":{"N":"0.05"}}},"tags":{"SS":["a","b"]},"created_at":{"N":"1700000000"}}`, pk, sk, sk, sk)
}

// newServiceOn returns a service on a store of its own.
func newServiceOn(b testing.TB, e kv.Engine) *benchService {
	jobs := job.New(slog.New(slog.DiscardHandler))
	b.Cleanup(func() {
		jobs.Close()
		e.Close()
	})
	catalog, err := table.OpenCatalog(context.Background(), e)
	if err != nil {
		b.Fatal(err)
	}
	tables := lifecycle.New(lifecycle.Config{Engine: e, Catalog: catalog, Jobs: jobs})
	svc := New(Config{Catalog: catalog, Lifecycle: tables, Store: store.New(e, catalog, time.Now), Reader: query.NewReader(e, catalog), Expressions: expr.NewCache(100), Now: time.Now})
	s := &benchService{ops: map[string]*api.Op{}}
	for _, op := range svc.API().Ops {
		s.ops[op.Name] = op
	}
	return s
}

func newBenchService(b testing.TB) *benchService {
	s := newServiceOn(b, memkv.Open())
	s.run(b, nil, s.ops["CreateTable"], `{"TableName":"perf","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}]}`)
	for i := range 1000 {
		s.run(b, nil, s.ops["PutItem"], `{"TableName":"perf","Item":`+benchItem(fmt.Sprintf("exp-%06d", i/20), i%20)+`}`)
	}
	return s
}
