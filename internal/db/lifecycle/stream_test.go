package lifecycle

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/table"
)

func enableStream(view string) func(*table.Definition) error {
	return func(d *table.Definition) error {
		d.Streams = append(d.Streams[:len(d.Streams):len(d.Streams)], table.Stream{View: view})
		return nil
	}
}

func disableStream(d *table.Definition) error {
	d.Streams = append([]table.Stream(nil), d.Streams...)
	d.Streams[len(d.Streams)-1].Status = table.Disabling
	return nil
}

// streams prints the table's status, its streams and its shards.
func streams(d *table.Definition) string {
	words := []string{string(d.Status)}
	for _, s := range d.Streams {
		words = append(words, fmt.Sprint(s.View, ":", s.Status))
	}
	return fmt.Sprint(strings.Join(words, " "), " ", len(d.Log.Open), " open ", len(d.Log.Closed), " closed")
}

func TestStreamStates(t *testing.T) {
	for _, delay := range []time.Duration{0, 10 * time.Second} {
		t.Run(fmt.Sprint(delay), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := begin(t, dbtest.Engine(t), delay)
				expect := func(what string, d *table.Definition, want string) {
					t.Helper()
					if got := streams(d); got != want {
						t.Errorf("%s: %s, want %s", what, got, want)
					}
				}
				present := func() *table.Definition { w.settle(); return w.catalog.Get(name("Music")) }
				w.create(music)
				w.settle()
				w.put("artist=a song=s year=1")
				expect("enable", w.update(enableStream("KEYS_ONLY")), "UPDATING KEYS_ONLY:ENABLING 1 open 0 closed")
				expect("enabled", present(), "ACTIVE KEYS_ONLY:ENABLED 1 open 0 closed")
				w.put("artist=a song=s year=2")
				w.update(addIndex(t, "global ByGenre genre:S ALL"))
				w.settle()
				expect("disable", w.update(disableStream), "UPDATING KEYS_ONLY:DISABLING 0 open 1 closed")
				expect("disabled", present(), "ACTIVE KEYS_ONLY:DISABLED 0 open 1 closed")
				w.put("artist=a song=s year=3")
				w.update(enableStream("NEW_IMAGE"))
				expect("enabled again", present(), "ACTIVE KEYS_ONLY:DISABLED NEW_IMAGE:ENABLED 1 open 1 closed")
				w.put("artist=a song=s year=4")
				if _, err := w.manager.Delete(w.ctx, name("Music")); err != nil {
					t.Fatal(err)
				}
				w.settle()
				again := w.restart(w.engine, delay)
				retired := again.catalog.Retired(func(table.Name) bool { return true })
				if len(retired) != 1 {
					t.Fatalf("%d deleted tables have logs", len(retired))
				}
				expect("deleted", retired[0], "DELETED KEYS_ONLY:DISABLED NEW_IMAGE:DISABLED 0 open 2 closed")
				if faults, err := dbtest.Audit(w.ctx, w.engine, again.catalog); err != nil || len(faults) > 0 {
					t.Errorf("audit: %v, %q", err, faults)
				}
			})
		})
	}
}

func TestCreateWithStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, dbtest.Engine(t), 10*time.Second)
		d := definition(t, music)
		d.Streams = []table.Stream{{View: "NEW_IMAGE"}}
		d, err := w.manager.Create(w.ctx, d)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := streams(d), "CREATING NEW_IMAGE:ENABLING 1 open 0 closed"; got != want || d.LatestStream == "" {
			t.Errorf("created: %s, latest %q, want %s", got, d.LatestStream, want)
		}
		w.settle()
		if got, want := streams(w.catalog.Get(name("Music"))), "ACTIVE NEW_IMAGE:ENABLED 1 open 0 closed"; got != want {
			t.Errorf("after a while: %s, want %s", got, want)
		}
	})
}

func TestDeleteWhileStreamChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, dbtest.Engine(t), 10*time.Second)
		w.create(music)
		w.settle()
		for _, edit := range []func(*table.Definition) error{enableStream("KEYS_ONLY"), disableStream} {
			w.update(edit)
			_, err := w.manager.Delete(w.ctx, name("Music"))
			if e, ok := errors.AsType[*Error](err); !ok || e.Reason != StreamChanging {
				t.Errorf("delete: %v, want that the stream is changing", err)
			}
			w.settle()
		}
	})
}

// TestStreamsOfOneName: tables that follow each other under one name within a millisecond have streams of different labels.
func TestStreamsOfOneName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, dbtest.Engine(t), 0)
		labels := map[string]bool{}
		for range 5 {
			d := definition(t, music)
			d.Streams = []table.Stream{{View: "NEW_IMAGE"}}
			d, err := w.manager.Create(w.ctx, d)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.manager.Delete(w.ctx, name("Music")); err != nil {
				t.Fatal(err)
			}
			labels[d.LatestStream] = true
		}
		if len(labels) != 5 {
			t.Errorf("labels %v", labels)
		}
	})
}
