package esm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grammedb/gramme/internal/lib/eventpattern"
)

func TestBatches(t *testing.T) {
	inWorld(t, Settings{Batch: 3, Retries: -1}, func(w *world) {
		w.stream.add("s", numbered("a", 1, 7)...)
		w.start()
		w.after(time.Second, "a1,a2,a3", "a4,a5,a6", "a7")
		w.stream.add("s", "a8")
		w.after(time.Second, "a1,a2,a3", "a4,a5,a6", "a7", "a8")
		w.checkPlaces("s/0:8")
	})
}

// TestBatchingWindow: records are gathered for a time, unless a batch is full before.
func TestBatchingWindow(t *testing.T) {
	inWorld(t, Settings{Batch: 3, Window: 5 * time.Second, Retries: -1}, func(w *world) {
		w.start()
		w.stream.add("s", "a1")
		w.after(4 * time.Second)
		w.stream.add("s", "a2")
		w.after(2*time.Second, "a1,a2")
		w.stream.add("s", "a3", "a4", "a5", "a6")
		w.after(time.Second, "a1,a2", "a3,a4,a5")
		w.after(5*time.Second, "a1,a2", "a3,a4,a5", "a6")
	})
}

// TestPayload: a batch is no larger than a function takes.
func TestPayload(t *testing.T) {
	inWorld(t, Settings{Batch: 1000, Retries: -1}, func(w *world) {
		for range 5 {
			w.stream.add("s", strings.Repeat("x", 2<<20))
		}
		w.start()
		time.Sleep(time.Second)
		synctest.Wait()
		var sizes []int
		for _, e := range w.f.events {
			sizes = append(sizes, len(e.Records))
		}
		if fmt.Sprint(sizes) != "[2 2 1]" {
			t.Error(sizes)
		}
	})
}

func TestRetries(t *testing.T) {
	inWorld(t, Settings{Retries: 2}, func(w *world) {
		file := filepath.Join(t.TempDir(), "failures")
		w.set.Destination = "file://" + file
		w.f.does = func(e event) (string, string, error) {
			if e.String() == "a1,a2" {
				return `{"errorType":"Oops"}`, "Unhandled", nil
			}
			return "", "", nil
		}
		w.stream.add("s", "a1", "a2")
		w.start()
		w.after(100*time.Millisecond, "a1,a2")
		w.stream.add("s", "b")
		w.after(time.Minute, "a1,a2", "a1,a2", "a1,a2", "b")
		w.checkPlaces("s/0:3")
		if got := strings.Join(w.notes, " "); got != "PROBLEM: Function call failed OK" {
			t.Error(got)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var doc failureDocument
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		if doc.RequestContext.Condition != conditionRetries || doc.RequestContext.Calls != 3 || doc.RequestContext.FunctionARN != "arn:function" ||
			doc.Batch.Size != 2 || doc.Batch.Start != "100000000000000000001" || doc.Batch.End != "100000000000000000002" || doc.Batch.Shard != "s" {
			t.Errorf("%s", text)
		}
	})
}

// TestForEver: without limits a batch blocks its shard until it succeeds, and other shards go on.
func TestForEver(t *testing.T) {
	inWorld(t, Settings{Retries: -1}, func(w *world) {
		w.stream = newStream(Shard{ID: "s"}, Shard{ID: "t"})
		ok := false
		w.f.does = func(e event) (string, string, error) {
			if e.String() == "a" && !ok {
				return "", "Unhandled", nil
			}
			return "", "", nil
		}
		w.stream.add("s", "a")
		w.start()
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(w.f.events); n < 300 || n > 400 {
			t.Errorf("%d calls in an hour", n)
		}
		w.stream.add("t", "b")
		time.Sleep(time.Second)
		synctest.Wait()
		w.checkPlaces("s/0: t/0:1")
		w.f.mu.Lock()
		ok = true
		w.f.mu.Unlock()
		time.Sleep(time.Minute)
		w.checkPlaces("s/0:1 t/0:1")
	})
}

// TestBisect: of a batch that fails only what makes it fail is given up.
func TestBisect(t *testing.T) {
	inWorld(t, Settings{Retries: 1, Bisect: true}, func(w *world) {
		w.f.does = func(e event) (string, string, error) {
			if strings.Contains(e.String(), "bad") {
				return "", "Unhandled", nil
			}
			return "", "", nil
		}
		w.stream.add("s", "a", "b", "bad", "d", "e")
		w.start()
		w.after(time.Minute, "a,b,bad,d,e", "a,b", "bad,d,e", "bad", "bad", "d,e")
		w.checkPlaces("s/0:5")
	})
}

// TestPartial: what a function says it has done is not done again.
func TestPartial(t *testing.T) {
	failures := func(sequences ...string) string {
		var list []string
		for _, s := range sequences {
			list = append(list, fmt.Sprintf(`{"itemIdentifier":%q}`, s))
		}
		return `{"batchItemFailures":[` + strings.Join(list, ",") + `]}`
	}
	const second, third, another = "100000000000000000002", "100000000000000000003", "100000000000000000009"
	for _, tt := range []struct {
		name, answer string // of the first call
		calls        []string
	}{
		{"nothing", ``, []string{"a,b,c"}},
		{"null", `null`, []string{"a,b,c"}},
		{"no failures", `{"batchItemFailures":[]}`, []string{"a,b,c"}},
		{"null failures", `{"batchItemFailures":null}`, []string{"a,b,c"}},
		{"something else", `{"statusCode":200}`, []string{"a,b,c"}},
		{"the second", failures(second), []string{"a,b,c", "b,c"}},
		{"the lowest counts", failures(third, second), []string{"a,b,c", "b,c"}},
		{"empty identifier", failures(""), []string{"a,b,c", "a,b,c"}},
		{"null identifier", `{"batchItemFailures":[{"itemIdentifier":null}]}`, []string{"a,b,c", "a,b,c"}},
		{"wrong name", `{"batchItemFailures":[{"id":"x"}]}`, []string{"a,b,c", "a,b,c"}},
		{"not in the batch", failures(another), []string{"a,b,c", "a,b,c"}},
		{"no JSON", `{`, []string{"a,b,c", "a,b,c"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, Settings{Retries: -1, Partial: true}, func(w *world) {
				answer := tt.answer
				w.f.does = func(event) (string, string, error) {
					defer func() { answer = "" }()
					return answer, "", nil
				}
				w.stream.add("s", "a", "b", "c")
				w.start()
				w.after(time.Minute, tt.calls...)
				w.checkPlaces("s/0:3")
			})
		})
	}
}

// TestPartialRetries: what is left after progress is tried as often as if it had come alone, and a record that fails is not tried
// more often than that.
func TestPartialRetries(t *testing.T) {
	for _, tt := range []struct {
		name    string
		retries int
		tries   map[string]int // how often the call fails at a record before it succeeds
		calls   []string
		given   int // how many records are given up
	}{
		{"each record once", 1, map[string]int{"a": 1, "b": 1, "c": 1}, []string{"a,b,c", "a,b,c", "b,c", "c"}, 0},
		{"each record but the first", 1, map[string]int{"b": 1, "c": 1, "d": 1}, []string{"a,b,c,d", "b,c,d", "c,d", "d"}, 0},
		{"one for ever", 2, map[string]int{"b": 100}, []string{"a,b,c", "b,c", "b,c"}, 2},
		{"none is tried again", 0, map[string]int{"b": 100}, []string{"a,b,c"}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, Settings{Retries: tt.retries, Partial: true}, func(w *world) {
				w.f.does = func(e event) (string, string, error) {
					for _, r := range e.Records {
						if tt.tries[r.V] > 0 {
							tt.tries[r.V]--
							return fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":%q}]}`, r.Sequence), "", nil
						}
					}
					return "", "", nil
				}
				records := strings.Split(tt.calls[0], ",")
				w.stream.add("s", records...)
				w.start()
				w.after(time.Minute, tt.calls...)
				w.checkPlaces(fmt.Sprint("s/0:", len(records)))
				if given := strings.Contains(w.logged.String(), fmt.Sprint("records=", tt.given)); given != (tt.given > 0) {
					t.Errorf("records given up: %s", w.logged.String())
				}
			})
		})
	}
}

// TestPartialProgress: the place is kept when the server ends in the middle of a batch.
func TestPartialProgress(t *testing.T) {
	inWorld(t, Settings{Retries: -1, Partial: true}, func(w *world) {
		w.f.does = func(e event) (string, string, error) {
			return fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":%q}]}`, e.Records[len(e.Records)-1].Sequence), "", nil
		}
		w.stream.add("s", "a", "b", "c")
		w.start()
		w.after(100*time.Millisecond, "a,b,c")
		w.checkPlaces("s/0:2")
		w.crash()
		w.f.does = nil
		w.start()
		w.after(time.Second, "a,b,c", "c")
	})
}

// TestAge: records that are too old are given up before they are sent again.
func TestAge(t *testing.T) {
	inWorld(t, Settings{Retries: -1, MaxAge: time.Minute}, func(w *world) {
		w.f.does = func(e event) (string, string, error) {
			if strings.Contains(e.String(), "a") {
				return "", "Unhandled", nil
			}
			return "", "", nil
		}
		w.stream.add("s", "a")
		time.Sleep(30 * time.Second)
		w.stream.add("s", "b")
		w.start()
		time.Sleep(time.Minute)
		synctest.Wait()
		if calls := w.f.calls; calls[len(calls)-1] != "b" {
			t.Error(calls)
		}
		w.checkPlaces("s/0:2")
		if !strings.Contains(w.logged.String(), "condition=RecordAgeExceeded") {
			t.Error(w.logged.String())
		}
	})
}

// TestRefused: calls that do not reach the function are no tries.
func TestRefused(t *testing.T) {
	inWorld(t, Settings{Retries: 0, Bisect: true}, func(w *world) {
		calls := 0
		w.f.does = func(event) (string, string, error) {
			if calls++; calls < 4 {
				return "", "", errors.New("throttled")
			}
			return "", "", nil
		}
		w.stream.add("s", "a", "b")
		w.start()
		w.after(time.Minute, "a,b", "a,b", "a,b", "a,b")
		w.checkPlaces("s/0:2")
		if got := strings.Join(w.notes, " "); got != "PROBLEM: throttled OK" {
			t.Error(got)
		}
	})
}

func TestFilters(t *testing.T) {
	filter, err := eventpattern.Parse(`{"v": [{"prefix": "yes"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	inWorld(t, Settings{Retries: -1, Filters: []*eventpattern.Pattern{filter}}, func(w *world) {
		w.stream.add("s", "no", "yes1", "no", "yes2", "no")
		w.start()
		w.after(2*time.Second, "yes1,yes2")
		w.stream.add("s", "no", "no")
		w.after(time.Second, "yes1,yes2")
		w.checkPlaces("s/0:7") // what is passed over is done with
	})
}

// TestLanes: the changes of one item stay in order, and an item that fails holds up nobody but its lane.
func TestLanes(t *testing.T) {
	inWorld(t, Settings{Retries: -1, Lanes: 4, Batch: 10}, func(w *world) {
		bad := "k0"
		w.f.does = func(e event) (string, string, error) {
			for _, r := range e.Records {
				if strings.HasPrefix(r.V, bad+"=") {
					return "", "Unhandled", nil
				}
			}
			return "", "", nil
		}
		for i := range 100 {
			w.stream.add("s", fmt.Sprintf("k%d=%d", i%20, i))
		}
		w.start()
		time.Sleep(time.Minute)
		synctest.Wait()
		w.f.mu.Lock()
		bad = "none"
		w.f.mu.Unlock()
		blocked := lane([]byte("k0"), 4)
		time.Sleep(time.Minute)
		synctest.Wait()
		last := map[string]int{}
		for _, call := range w.f.calls {
			for v := range strings.SplitSeq(call, ",") {
				key, number, _ := strings.Cut(v, "=")
				n := 0
				fmt.Sscan(number, &n)
				if n < last[key] && lane([]byte(key), 4) != blocked {
					t.Errorf("%s: %d after %d", key, n, last[key])
				}
				last[key] = n
			}
		}
		if len(last) != 20 {
			t.Errorf("%d keys", len(last))
		}
		for i := range 20 {
			if n := last[fmt.Sprint("k", i)]; n != 80+i {
				t.Errorf("the last change of k%d is %d", i, n)
			}
		}
	})
}

// TestLineage: a shard is read when its parent has been.
func TestLineage(t *testing.T) {
	inWorld(t, Settings{Retries: -1}, func(w *world) {
		w.stream = newStream(Shard{ID: "p", Closed: true}, Shard{ID: "c", Parent: "p"}, Shard{ID: "orphan", Parent: "gone"})
		release := make(chan struct{})
		w.f.does = func(e event) (string, string, error) {
			if e.String() == "1" {
				<-release
			}
			return "", "", nil
		}
		w.stream.add("p", "1")
		w.stream.add("c", "2")
		w.start()
		w.after(time.Minute, "1")
		w.stream.add("orphan", "3")
		w.after(time.Second, "1", "3")
		close(release)
		w.after(time.Second, "1", "3", "2")
		w.checkPlaces("c/0:1 orphan/0:1 p/0:1!")

		w.stream.change(func() { w.stream.shards = w.stream.shards[1:] })
		time.Sleep(time.Minute)
		w.checkPlaces("c/0:1 orphan/0:1")
	})
}

// TestRestart: what a function has seen is not forgotten, and what was under way comes again.
func TestRestart(t *testing.T) {
	inWorld(t, Settings{Retries: -1, Batch: 2}, func(w *world) {
		hang := make(chan struct{})
		w.f.does = func(e event) (string, string, error) {
			if e.String() == "a3,a4" {
				<-hang
			}
			return "", "", nil
		}
		w.stream.add("s", numbered("a", 1, 5)...)
		w.start()
		w.after(time.Second, "a1,a2", "a3,a4")
		w.cancel()
		close(hang)
		<-w.done
		w.done = nil
		w.start()
		w.after(time.Second, "a1,a2", "a3,a4", "a3,a4", "a5")
	})
}

// TestStop: the end of a mapping waits for the call that is under way, and makes no other.
func TestStop(t *testing.T) {
	inWorld(t, Settings{Retries: -1, Batch: 1}, func(w *world) {
		hang := make(chan struct{})
		w.f.does = func(event) (string, string, error) {
			<-hang
			return "", "", nil
		}
		w.stream.add("s", "a", "b")
		w.start()
		w.after(time.Second, "a")
		close(w.stop)
		synctest.Wait()
		select {
		case <-w.done:
			t.Error("Run has returned while a call is under way")
		default:
		}
		close(hang)
		if err := <-w.done; err != nil {
			t.Error(err)
		}
		w.cancel()
		w.done = nil
		w.checkPlaces("s/0:1")
	})
}

// TestLatest: a mapping that begins with what is new sees all of that, and nothing older, whenever it is started.
func TestLatest(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		inWorld(t, Settings{Retries: -1}, func(w *world) {
			w.stream = newStream(Shard{ID: "closed", Closed: true}, Shard{ID: "s", Parent: "closed"})
			w.stream.add("closed", "ancient")
			w.stream.add("s", "old")
			time.Sleep(2 * time.Second)
			latest, err := Begin(t.Context(), w.stream, w.store, 1, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			w.stream.add("s", "new")
			if !restarted {
				w.latest = latest
			}
			w.start()
			w.after(time.Second, "new")
			w.stream.change(func() {
				w.stream.shards[1].Closed = true
				w.stream.shards = append(w.stream.shards, Shard{ID: "child", Parent: "s"})
			})
			w.stream.add("child", "newer")
			w.after(10*time.Second, "new", "newer")
		})
	}
}

// TestLatestBehindMuch: after a restart without progress a mapping passes over all pages of what is older, also if it ends in between.
func TestLatestBehindMuch(t *testing.T) {
	inWorld(t, Settings{Retries: -1}, func(w *world) {
		w.stream.add("s", numbered("old", 1, 3*pageSize)...)
		time.Sleep(2 * time.Second)
		if _, err := Begin(t.Context(), w.stream, w.store, 1, time.Now()); err != nil {
			t.Fatal(err)
		}
		w.start()
		w.after(time.Minute)
		w.crash()
		w.start()
		w.stream.add("s", "new")
		w.after(time.Second, "new")
	})
}

// TestLostPlaces: iterators that are no more are made again, and records that are no more are passed over.
func TestLostPlaces(t *testing.T) {
	inWorld(t, Settings{Retries: -1}, func(w *world) {
		w.stream.add("s", "a", "b", "c")
		w.stream.change(func() { w.stream.expired["s@0"] = true })
		w.start()
		w.after(time.Second, "a,b,c")
		w.crash()
		w.stream.add("s", "d", "e")
		w.stream.change(func() { w.stream.trimmed["s"] = 4 })
		w.start()
		w.after(time.Second, "a,b,c", "e")
	})
}

// TestBroken: what cannot be read or stored now is tried again.
func TestBroken(t *testing.T) {
	inWorld(t, Settings{Retries: -1}, func(w *world) {
		w.stream.add("s", "a")
		w.stream.broken = errors.New("no stream")
		w.start()
		w.after(time.Minute)
		w.stream.change(func() { w.stream.broken = nil })
		w.after(10*time.Second, "a")
		w.store.mu.Lock()
		w.store.fails = true
		w.store.mu.Unlock()
		w.stream.add("s", "b")
		time.Sleep(time.Minute)
		w.store.mu.Lock()
		w.store.fails = false
		w.store.mu.Unlock()
		time.Sleep(time.Minute)
		w.checkPlaces("s/0:2")
		if got := strings.Join(w.notes, ", "); !strings.HasPrefix(got, "PROBLEM: no stream, OK, PROBLEM: the store is broken, OK") || !strings.HasSuffix(got, "OK") {
			t.Error(got)
		}
	})
}

// TestStreamGone: of a stream that cannot be read the log tells once.
func TestStreamGone(t *testing.T) {
	inWorld(t, Settings{Retries: -1}, func(w *world) {
		w.stream.broken = errors.New("the stream is gone")
		w.start()
		time.Sleep(time.Hour)
		w.end()
		if n := strings.Count(w.logged.String(), "the stream is gone"); n != 1 {
			t.Errorf("told %d times", n)
		}
	})
}

// TestOtherLanes: when the number of lanes changes nothing is left out.
func TestOtherLanes(t *testing.T) {
	for _, lanes := range []int{1, 2, 5} {
		inWorld(t, Settings{Retries: -1, Lanes: 3}, func(w *world) {
			blocked := lane([]byte("k1"), 3)
			w.f.does = func(e event) (string, string, error) {
				if strings.Contains(e.String()+",", "k1,") {
					return "", "Unhandled", nil
				}
				return "", "", nil
			}
			w.stream.add("s", numbered("k", 1, 9)...)
			w.start()
			time.Sleep(10 * time.Second)
			w.crash()
			w.f.calls, w.f.does = nil, nil
			w.set.Lanes = lanes
			w.start()
			time.Sleep(10 * time.Second)
			synctest.Wait()
			got := w.f.seen()
			for i := 1; i <= 9; i++ {
				if v := fmt.Sprint("k", i); lane([]byte(v), 3) == blocked && !strings.Contains(got, v) {
					t.Errorf("%d lanes: %s was left out of %s", lanes, v, got)
				}
			}
			if n := len(w.store.saved); n != lanes {
				t.Errorf("%d checkpoints for %d lanes", n, lanes)
			}
		})
	}
}

// TestOtherLanesAtRest: lanes that have read everything repeat nothing when their number changes.
func TestOtherLanesAtRest(t *testing.T) {
	inWorld(t, Settings{Retries: -1, Lanes: 3, Batch: 1}, func(w *world) {
		w.stream.add("s", numbered("k", 1, 9)...)
		w.start()
		time.Sleep(10 * time.Second)
		w.end()
		w.f.calls = nil
		w.set.Lanes = 1
		w.start()
		w.after(10 * time.Second)
	})
}

// TestDestinations: what is wrong with a URL is told.
func TestDestinations(t *testing.T) {
	for text, good := range map[string]bool{
		"file:///tmp/x": true, "http://127.0.0.1:1/x": true, "https://example.com": true,
		"file://host/x": false, "file:x": false, "arn:aws:sqs:us-east-1:000000000000:q": false, "x": false, "http://": false, "": false, "%": false,
	} {
		if err := CheckDestination(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := deliver(context.Background(), "file:///nonexistent/dir/file", nil); err == nil {
		t.Error("no error")
	}
}
