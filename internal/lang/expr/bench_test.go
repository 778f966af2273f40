package expr

import (
	"testing"

	"github.com/grammedb/gramme/internal/lang/attr"
)

const benchItem = `{"pk":{"S":"user#12345"},"sk":{"S":"order#2024-05-17"},"address":{"M":{"city":{"S":"Liège"},"zip":{"N":"4000"}}},` +
	`"count":{"N":"17"},"lines":{"L":[{"M":{"sku":{"S":"x-1"},"qty":{"N":"2"},"price":{"N":"9.95"}}},{"M":{"sku":{"S":"x-2"},"qty":{"N":"1"},"price":{"N":"120.00"}}}]},` +
	`"status":{"S":"open"},"tags":{"SS":["new","priority"]},"amount":{"N":"139.90"},"updated":{"N":"1715936461"}}`

// BenchmarkBind binds an update with a condition whose texts are cached.
func BenchmarkBind(b *testing.B) {
	c := NewCache(100)
	r := Request{
		Update:    new("SET #s = :s ADD #c :one"),
		Condition: new("attribute_exists(pk) AND #s = :open"),
		Names:     map[string]string{"#s": "status", "#c": "count"},
		Values:    attr.Sent(parseItem(b, `{":one":{"N":"1"},":open":{"S":"open"},":s":{"S":"closed"}}`)),
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Bind(r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParse is Bind's without a cache.
func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parse(updateKind, "SET #s = :s, a.b[1] = if_not_exists(a.b[1], :zero) + :one ADD #c :one"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBindProjection(b *testing.B) {
	c := NewCache(100)
	for _, bench := range []struct {
		name string
		r    Request
	}{
		{"plain", Request{Projection: new("pk, sk, amount, address.city")}},
		{"named", Request{Projection: new("pk, sk, #t, address.city"), Names: map[string]string{"#t": "amount"}}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Bind(bench.r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEval(b *testing.B) {
	it := parseItem(b, benchItem)
	values := `{":n":{"N":"100"},":s":{"S":"open"},":t":{"S":"priority"},":z":{"N":"4000"},":p":{"S":"user#"}}`
	for _, bench := range []struct{ name, text string }{
		{"number", "amount > :n"},
		{"nested number", "address.zip = :z"},
		{"nested number in list", "#lines[1].price > :n"},
		{"string", "#status = :s"},
		{"and of three", "amount > :n AND #status = :s AND contains(tags, :t)"},
		{"begins_with", "begins_with(pk, :p)"},
		{"size", "size(#lines) < :n"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			f := fixture{names: map[string]string{"#lines": "lines", "#status": "status"}, values: map[string]attr.Value{}}
			for name, v := range parseItem(b, values).All() {
				f.values[string(name)] = v
			}
			bound, err := NewCache(0).Bind(f.request(bench.text).with(conditionKind, bench.text))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if !bound.Condition.Eval(it) {
					b.Fatal("false")
				}
			}
		})
	}
}

func BenchmarkApply(b *testing.B) {
	it := parseItem(b, benchItem)
	const values = `{":one":{"N":"1"},":s":{"S":"closed"}}`
	for _, bench := range []struct{ name, text string }{
		{"top level", "SET s = :s ADD amount :one"},
		{"nested", "SET address.city = :s ADD amount :one"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			u := bindUpdate(b, bench.text, values)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := u.Apply(it); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkProject(b *testing.B) {
	it := parseItem(b, benchItem)
	for _, text := range []string{"pk, sk, amount", "pk, address.city"} {
		b.Run(text, func(b *testing.B) {
			bound, err := NewCache(0).Bind(Request{Projection: &text})
			if err != nil {
				b.Fatal(err)
			}
			dst := make([]byte, 0, 1024)
			b.ReportAllocs()
			for b.Loop() {
				dst = bound.Projection.AppendTo(dst[:0], it)
			}
		})
	}
}
