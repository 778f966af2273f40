package gateway

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grammedb/gramme/internal/api"
)

var one = claim{running: 1, bytes: 10}

func TestAdmissionLetsInWhatFits(t *testing.T) {
	a := newAdmission(limits{bytes: 100, running: 3, waiting: 0, wait: time.Second})
	ctx := context.Background()
	for i := range 3 {
		if !a.take(ctx, one) {
			t.Fatalf("take %d refused", i)
		}
	}
	if a.take(ctx, one) {
		t.Error("a fourth was let in")
	}
	if !a.take(ctx, claim{bytes: 70}) {
		t.Error("memory that is free was refused")
	}
	if a.take(ctx, claim{bytes: 1}) {
		t.Error("memory that is not there was given")
	}
	a.give(claim{bytes: 70})
	a.give(one)
	if got, want := a.load(), (load{running: 2, bytes: 20, refused: 2}); got != want {
		t.Errorf("load = %+v, want %+v", got, want)
	}
}

func TestAdmissionWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(limits{bytes: 100, running: 1, waiting: 10, wait: time.Second})
		ctx := context.Background()
		a.take(ctx, one)
		var order []string
		var wg sync.WaitGroup
		for _, name := range []string{"oldest", "middle", "newest"} {
			wg.Go(func() {
				if a.take(ctx, one) {
					order = append(order, name)
					a.give(one)
				}
			})
			synctest.Wait()
		}
		if got := a.load().waiting; got != 3 {
			t.Errorf("waiting = %d, want 3", got)
		}
		a.give(one)
		wg.Wait()
		if got := fmt.Sprint(order); got != "[newest middle oldest]" {
			t.Errorf("order = %s", got)
		}
	})
}

func TestAdmissionGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(limits{bytes: 100, running: 1, waiting: 1, wait: time.Second})
		a.take(context.Background(), one)
		begin := time.Now()
		if a.take(context.Background(), one) || time.Since(begin) != time.Second {
			t.Errorf("gave up after %v, want 1s", time.Since(begin))
		}
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(100*time.Millisecond, cancel)
		begin = time.Now()
		if a.take(ctx, one) || time.Since(begin) != 100*time.Millisecond {
			t.Errorf("gave up after %v, want 100ms", time.Since(begin))
		}
		time.AfterFunc(0, func() { a.take(context.Background(), one) })
		synctest.Wait()
		begin = time.Now()
		if a.take(context.Background(), one) || time.Since(begin) != 0 {
			t.Errorf("waited %v though too many wait, want no wait", time.Since(begin))
		}
		if a.take(context.Background(), claim{bytes: 101}) {
			t.Error("more than there is was given")
		}
		time.Sleep(2 * time.Second)
		if l := a.load(); l.running != 1 || l.bytes != 10 || l.waiting != 0 || l.refused != 5 {
			t.Errorf("load = %+v", l)
		}
	})
}

// TestOverload offers far more than the server takes. Some calls are refused, in the way that makes clients come back;
// the server is never over its limits, and gives everything back.
func TestOverload(t *testing.T) {
	var mu sync.Mutex
	running, most := 0, 0
	gate := make(chan struct{})
	op := api.Define("Slow", func(context.Context, *api.Call, *sayInput) (*sayOutput, error) {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		<-gate
		mu.Lock()
		running--
		mu.Unlock()
		return &sayOutput{}, nil
	})
	g := newGateway(Config{Services: []*api.Service{echoService(op)}, Running: 4, MaxWait: time.Millisecond}, io.Discard)
	e := run(t, g, ServerConfig{})
	statuses := make(chan string, 40)
	for range 40 {
		go func() {
			a := e.do(t, call{target: "Echo_1.Slow", body: hello})
			statuses <- fmt.Sprint(a.StatusCode, " ", a.body)
		}()
	}
	const refused = `400 {"__type":"com.amazon.coral.availability#ThrottlingException","message":"The server has more requests than it can take. Try again."}`
	for range 36 { // those that run wait for the gate
		if got := <-statuses; got != refused {
			t.Fatalf("answer = %s", got)
		}
	}
	close(gate)
	for range 4 {
		if got := <-statuses; got != "200 {}" {
			t.Errorf("answer = %s", got)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if most != 4 {
		t.Errorf("%d calls ran at once, want 4", most)
	}
	waitUntilIdle(t, g)
}

// waitUntilIdle returns when nothing is held any more: answers are given back a moment after the client has them.
func waitUntilIdle(t *testing.T, g *Gateway) {
	t.Helper()
	for l := g.admission.load(); l.running != 0 || l.bytes != 0; l = g.admission.load() {
		if t.Context().Err() != nil {
			t.Fatalf("still held: %+v", l)
		}
		runtime.Gosched()
	}
}

// TestMemoryBudget: bodies count at their decompressed size, answers too.
func TestMemoryBudget(t *testing.T) {
	const budget = 100_000
	text := strings.Repeat("x", 60_000)
	body := `{"Text":"` + text + `"}`
	for _, tt := range []struct {
		name   string
		call   call
		status int
	}{
		{"fits", call{body: body}, 200},
		{"fits, compressed", call{body: gzipped(body), headers: map[string]string{"Content-Encoding": "gzip"}}, 200},
		{"fits, chunked", call{reader: io.MultiReader(strings.NewReader(body)), unsigned: true, headers: anyoneHeaders}, 200},
		{"too large", call{body: body + strings.Repeat(" ", 50_000)}, 400},
		{"too large, chunked", call{reader: io.MultiReader(strings.NewReader(body + body + body)), unsigned: true, headers: anyoneHeaders}, 400},
		{"too large, compressed", call{body: gzipped(body + strings.Repeat(" ", 200_000)), headers: map[string]string{"Content-Encoding": "gzip"}}, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(Config{Budget: budget, MaxWait: time.Millisecond}, io.Discard)
			e := run(t, g, ServerConfig{})
			a := e.do(t, tt.call)
			if a.StatusCode != tt.status || tt.status == 400 && !strings.Contains(a.body, "ThrottlingException") {
				t.Errorf("status = %d, want %d: %.200s", a.StatusCode, tt.status, a.body)
			}
			waitUntilIdle(t, g)
		})
	}
}

// anyoneHeaders is anyone for an http.Request.
var anyoneHeaders = map[string]string{
	"X-Amz-Date":    "20260101T000000Z",
	"Authorization": "AWS4-HMAC-SHA256 Credential=me/20260101/us-east-1/echo/aws4_request, SignedHeaders=host, Signature=00",
}
