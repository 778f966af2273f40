package attr

import (
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/lib/jsontok"
)

// order is an item of 8 attributes and 400 bytes of DynamoDB's count, its attributes in no order, as clients send them.
var order = `{"pk":{"S":"customer#000000012345"},"sk":{"S":"order#2026-10-05T12:34:56.789Z"},"status":{"S":"SHIPPED"},"total":{"N":"1234.56"},` +
	`"paid":{"BOOL":true},"count":{"N":"17"},"tags":{"SS":["new","gift","express"]},"note":{"S":"` + strings.Repeat("leave it at the door ", 14) + `"}}`

// experiment is an item of 12 attributes, two of them small maps, and 400 bytes of DynamoDB's count.
var experiment = `{"pk":{"S":"exp-000007"},"sk":{"N":"3"},"experiment_id":{"S":"E-00007"},"created_at":{"S":"2026-10-05T12:34:56Z"},` +
	`"name":{"S":"resnet50-imagenet-000143"},"status":{"S":"completed"},"counter":{"N":"0"},` +
	`"config":{"M":{"batch_size":{"N":"128"},"learning_rate":{"N":"0.0003"},"epochs":{"N":"42"}}},` +
	`"metrics":{"M":{"accuracy":{"N":"0.93211"},"f1_score":{"N":"0.81371"},"loss":{"N":"0.07421"}}},` +
	`"notes":{"S":"The learning rate was warmed up over the first epochs and then decayed; checkpoints were kept on improvement. The learning rate was warmed u"}}`

func benchmarkDecode(b *testing.B, text string) {
	in := []byte(text)
	var r jsontok.Reader
	var d Decoder
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(in)
		d.Reset()
		d.Grow(len(in))
		d.Item(&r, r.Next())
	}
}

func BenchmarkDecode(b *testing.B) {
	b.Run("key", func(b *testing.B) { benchmarkDecode(b, `{"pk":{"S":"exp-000007"},"sk":{"N":"3"}}`) })
	b.Run("order", func(b *testing.B) { benchmarkDecode(b, order) })
	b.Run("sorted", func(b *testing.B) { benchmarkDecode(b, sortedJSON(b, order)) })
	b.Run("experiment", func(b *testing.B) { benchmarkDecode(b, experiment) })
	b.Run("document", func(b *testing.B) { benchmarkDecode(b, document(100)) })
}

func sortedJSON(t testing.TB, text string) string { return parseItem(t, text).String() }

// document is an item with a list of n maps.
func document(n int) string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = `{"M":{"sku":{"S":"article 4711"},"amount":{"N":"3"},"price":{"N":"19.95"},"options":{"L":[{"S":"red"},{"NULL":true}]}}}`
	}
	return `{"pk":{"S":"a"},"lines":{"L":[` + strings.Join(lines, ",") + `]}}`
}

func BenchmarkAppendJSON(b *testing.B) {
	for _, c := range []struct{ name, text string }{{"order", order}, {"experiment", experiment}, {"document", document(100)}} {
		b.Run(c.name, func(b *testing.B) {
			it := parseItem(b, c.text)
			dst := make([]byte, 0, 1<<16)
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for b.Loop() {
				it.AppendJSON(dst)
			}
		})
	}
}

func BenchmarkSize(b *testing.B) {
	it := parseItem(b, order)
	b.ReportAllocs()
	for b.Loop() {
		it.Size()
	}
}

func BenchmarkGet(b *testing.B) {
	it := parseItem(b, order)
	b.ReportAllocs()
	for b.Loop() {
		it.Get("total")
	}
}

func BenchmarkMerge(b *testing.B) {
	it := parseItem(b, order)
	changes := []Field{{"count", Int(18)}, {"updated", String("now")}}
	b.ReportAllocs()
	for b.Loop() {
		it.Merge(changes)
	}
}

func BenchmarkValid(b *testing.B) {
	it := parseItem(b, order)
	b.ReportAllocs()
	for b.Loop() {
		Valid(it)
	}
}

// BenchmarkNode changes one value deep in a big document.
func BenchmarkNode(b *testing.B) {
	it := parseItem(b, document(100))
	dst := make([]byte, 0, 1<<16)
	v := Int(4)
	b.ReportAllocs()
	for b.Loop() {
		n := ThawItem(it)
		n.Attr("lines").Elem(50).SetAttr("amount", v)
		n.AppendItem(dst)
	}
}

func parseItem(t testing.TB, text string) Item {
	t.Helper()
	it, err := ParseItem(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return it
}

func parseValue(t testing.TB, text string) Value {
	t.Helper()
	v, err := ParseValue(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}
