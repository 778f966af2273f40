package esm

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grammedb/gramme/internal/lib/eventpattern"
)

// sum is a function that adds up how many records it has seen in a window.
func sum(e event) (string, string, error) {
	var state struct{ N int }
	if err := json.Unmarshal(e.State, &state); err != nil {
		return "", "", err
	}
	state.N += len(e.Records)
	return fmt.Sprintf(`{"state":{"N":%d}}`, state.N), "", nil
}

// TestTumbling: the state goes from one call of a window to the next, and the last call has all of it. Bubbles begin at midnight.
func TestTumbling(t *testing.T) {
	inWorld(t, Settings{Retries: -1, Batch: 2, Tumbling: 10 * time.Second}, func(w *world) {
		w.f.does = sum
		w.stream.add("s", "a", "b", "c")
		time.Sleep(time.Second)
		w.start()
		w.after(2*time.Second, "a,b", "c")
		w.crash() // the state is not lost
		w.start()
		w.stream.add("s", "d")
		w.after(time.Second, "a,b", "c", "d")
		w.after(8*time.Second, "a,b", "c", "d", "")
		w.stream.add("s", "e")
		w.after(time.Second, "a,b", "c", "d", "", "e")
		var got []string
		for _, e := range w.f.events {
			got = append(got, fmt.Sprint(e.Window.Start[14:19], " ", e.Window.End[14:19], " ", string(e.State), " ", e.Last))
		}
		want := "00:00 00:10 {} false, 00:00 00:10 {\"N\":2} false, 00:00 00:10 {\"N\":3} false, 00:00 00:10 {\"N\":4} true, 00:10 00:20 {} false"
		if strings.Join(got, ", ") != want {
			t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
		}
	})
}

// TestTumblingBoundary: a batch has records of one window only, and the end of a shard ends its window.
func TestTumblingBoundary(t *testing.T) {
	inWorld(t, Settings{Retries: -1, Tumbling: 10 * time.Second}, func(w *world) {
		w.f.does = sum
		w.stream.add("s", "a")
		time.Sleep(15 * time.Second)
		w.stream.add("s", "b", "c")
		w.stream.change(func() { w.stream.shards[0].Closed = true })
		w.start()
		w.after(time.Second, "a", "", "b,c", "")
		w.checkPlaces("s/0:3!")
		for i, want := range []bool{false, true, false, true} {
			if w.f.events[i].Last != want || w.f.events[i].ShardID != "s" {
				t.Errorf("call %d: %+v", i, w.f.events[i])
			}
		}
	})
}

// TestTumblingFailures: a function that returns no state has failed; a window whose state grows too large ends early.
func TestTumblingFailures(t *testing.T) {
	inWorld(t, Settings{Retries: 1, Tumbling: time.Minute, Batch: 1}, func(w *world) {
		large := `{"state":"` + strings.Repeat("x", maxState) + `"}`
		w.f.does = func(e event) (string, string, error) {
			switch {
			case e.String() == "none":
				return `{}`, "", nil
			case e.String() == "large":
				return large, "", nil
			}
			return `{"state":{}}`, "", nil
		}
		w.stream.add("s", "none", "large", "next")
		w.start()
		w.after(10*time.Second, "none", "none", "large", "", "next")
		if e := w.f.events[3]; !e.Early || len(e.State) <= maxState {
			t.Errorf("the call that ends a large window: %v, %d bytes", e.Early, len(e.State))
		}
		if e := w.f.events[4]; string(e.State) != "{}" || e.Early {
			t.Errorf("the call after it: %s", e.State)
		}
	})
}

// TestTumblingLastCall: the last call of a window is tried again as any other, and then given up.
func TestTumblingLastCall(t *testing.T) {
	inWorld(t, Settings{Retries: 1, Tumbling: 10 * time.Second}, func(w *world) {
		w.f.does = func(e event) (string, string, error) {
			if e.Last {
				return "", "Unhandled", nil
			}
			return `{"state":{}}`, "", nil
		}
		w.stream.add("s", "a")
		w.start()
		w.after(15*time.Second, "a", "", "")
		w.stream.add("s", "b")
		w.after(time.Second, "a", "", "", "b")
		synctest.Wait()
	})
}

// TestTumblingBehind: a worker that is behind closes no window before it has read what belongs to it, though a page of records that
// the filter drops, or an iterator that has expired, brings it nothing.
func TestTumblingBehind(t *testing.T) {
	for name, between := range map[string]func(w *world){
		"dropped": func(w *world) { w.stream.add("s", numbered("skip", 1, 2*pageSize)...) },
		"expired": func(w *world) { w.stream.change(func() { w.stream.expired["s@1"] = true }) },
	} {
		t.Run(name, func(t *testing.T) {
			filter, err := eventpattern.Parse(`{"v":[{"prefix":"a"}]}`)
			if err != nil {
				t.Fatal(err)
			}
			inWorld(t, Settings{Retries: -1, Tumbling: 10 * time.Second, Filters: []*eventpattern.Pattern{filter}}, func(w *world) {
				w.f.does = func(e event) (string, string, error) {
					if e.String() == "a1" { // takes so long that the window's time is over
						time.Sleep(time.Minute)
					}
					return sum(e)
				}
				w.stream.add("s", "a1")
				w.start()
				time.Sleep(time.Second)
				between(w)
				w.stream.add("s", "a2")
				w.after(2*time.Minute, "a1", "a2", "")
			})
		})
	}
}

// TestTumblingLastCallFails: a last call that fails for ever does not hold up the shard for longer than its records would.
func TestTumblingLastCallFails(t *testing.T) {
	inWorld(t, Settings{Retries: -1, MaxAge: time.Minute, Tumbling: 10 * time.Second}, func(w *world) {
		w.f.does = func(e event) (string, string, error) {
			if e.Last {
				return "", "Unhandled", nil
			}
			return sum(e)
		}
		w.stream.add("s", "a")
		w.start()
		time.Sleep(2 * time.Minute)
		w.stream.add("s", "b")
		time.Sleep(5 * time.Second)
		if seen := w.f.seen(); !strings.HasSuffix(seen, "| b") {
			t.Errorf("calls: %s", seen)
		}
	})
}

// TestTumblingNoMore: a window that is open when the mapping is told to have none is closed, and what comes then has nothing to do with it.
func TestTumblingNoMore(t *testing.T) {
	for _, lanes := range []int{1, 3} {
		inWorld(t, Settings{Retries: -1, Tumbling: time.Minute}, func(w *world) {
			w.f.does = sum
			w.stream.add("s", "a")
			w.start()
			time.Sleep(time.Second)
			w.end()
			w.set.Tumbling, w.set.Lanes = 0, lanes
			w.f.does = nil
			w.start()
			w.after(time.Second, "a", "")
			w.stream.add("s", "b")
			w.after(time.Second, "a", "", "b")
			if last := w.f.events[1]; string(last.State) != `{"N":1}` || !last.Last || !last.Early {
				t.Errorf("last call: %+v", last)
			}
			if next := w.f.events[2]; next.Window != nil {
				t.Errorf("next call: %+v", next)
			}
		})
	}
}

// TestTumblingLate: a record that was stamped before the end of its window, but is seen only after the last call, goes to the next
// window, together with what is stamped there, also after a restart; a clock that is set back is believed.
func TestTumblingLate(t *testing.T) {
	inWorld(t, Settings{Retries: -1, Tumbling: 10 * time.Second}, func(w *world) {
		w.f.does = sum
		w.stream.add("s", "a")
		w.start()
		w.after(11*time.Second, "a", "")
		w.crash()
		w.stream.add("s", "late", "b")
		w.stream.change(func() { w.stream.records["s"][1].Time = time.Now().Add(-2 * time.Second) })
		w.start()
		w.after(time.Second, "a", "", "late,b")
		w.after(10*time.Second, "a", "", "late,b", "")
		for i, want := range []string{"00:00 00:10", "00:00 00:10", "00:10 00:20", "00:10 00:20"} {
			if e := w.f.events[i].Window; e.Start[14:19]+" "+e.End[14:19] != want {
				t.Errorf("call %d: window %s to %s, want %s", i, e.Start, e.End, want)
			}
		}
		w.end()
		for key, c := range w.store.saved { // as if the clock had been an hour ahead
			c.Closed = c.Closed.Add(time.Hour)
			w.store.saved[key] = c
		}
		w.stream.add("s", "c")
		w.start()
		w.after(time.Second, "a", "", "late,b", "", "c")
		if e := w.f.events[4].Window; e.Start[14:19] != "00:20" {
			t.Errorf("the window after the clock was set back begins at %s", e.Start)
		}
	})
}
