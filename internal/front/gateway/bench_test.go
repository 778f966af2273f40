package gateway

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/api"
)

// aCall returns a gateway and a function that takes one signed call through the chain.
func aCall(t testing.TB) (*Gateway, func()) {
	type in struct{}
	op := api.Define("Nop", func(context.Context, *api.Call, *in) (*api.Nothing, error) { return nil, nil })
	g := newGateway(Config{Services: []*api.Service{echoService(op)}, Keys: withKey(t)}, io.Discard)
	req := call{target: "Echo_1.Nop", body: "{}"}.request(t, "http://localhost")
	headers := map[string]string{"host": req.Host}
	for name, values := range req.Header {
		headers[strings.ToLower(name)] = values[0]
	}
	header := func(name string) string { return headers[name] }
	body := strings.NewReader("{}")
	return g, func() {
		body.Reset("{}")
		x := g.Acquire()
		x.Request = Request{Method: "POST", Path: "/", Host: req.Host, Header: header, Body: body, Length: 2}
		g.serveRecovered(context.Background(), x)
		if x.Status != 200 {
			t.Fatalf("%d %s", x.Status, x.Response.Body)
		}
		g.Release(x)
	}
}

// TestAllocations: the input, the api.Call and its host, the request id.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector empties pools")
	}
	_, do := aCall(t)
	if n := testing.AllocsPerRun(100, do); n > 5 {
		t.Errorf("%v allocations, want at most 5", n)
	}
}

func BenchmarkServe(b *testing.B) {
	_, do := aCall(b)
	b.ReportAllocs()
	for b.Loop() {
		do()
	}
}
