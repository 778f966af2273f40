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

// state prints the states of a table and its indexes.
func state(d *table.Definition) string {
	if d == nil {
		return "gone"
	}
	text := string(d.Status)
	for i := range d.Indexes {
		ix := &d.Indexes[i]
		text += " " + ix.Name + ":" + string(ix.Status)
		if ix.Backfilling {
			text += "+"
		}
	}
	if d.TTL.Attribute != "" {
		text += " by " + d.TTL.Attribute + ":" + string(d.TTL.Shown())
	}
	return text
}

func TestChangesAreDoneWhenTheyAreAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, dbtest.Engine(t), 0)
		answers := func(d *table.Definition, first, then string) {
			t.Helper()
			if got := state(d); got != first {
				t.Errorf("answer: %s, want %s", got, first)
			}
			if got := state(w.catalog.Get(name("Music"))); got != then {
				t.Errorf("then: %s, want %s", got, then)
			}
		}
		answers(w.create(music+"\nglobal ByYear year:N ALL"), "CREATING ByYear:CREATING", "ACTIVE ByYear:ACTIVE")
		w.fill(10)
		answers(w.update(func(d *table.Definition) error { d.Settings.Throughput.Read++; return nil }), "UPDATING ByYear:ACTIVE", "ACTIVE ByYear:ACTIVE")
		answers(w.update(addIndex(t, "global ByGenre genre:S ALL")), "UPDATING ByYear:ACTIVE ByGenre:CREATING", "ACTIVE ByYear:ACTIVE ByGenre:ACTIVE")
		w.check(w.catalog.Get(name("Music")))
		answers(w.update(dropIndex("ByYear")), "UPDATING ByYear:DELETING ByGenre:ACTIVE", "ACTIVE ByGenre:ACTIVE")
		w.check(w.catalog.Get(name("Music")))
		answers(w.update(func(*table.Definition) error { return nil }), "ACTIVE ByGenre:ACTIVE", "ACTIVE ByGenre:ACTIVE")
		d, err := w.manager.Delete(w.ctx, name("Music"))
		if err != nil {
			t.Fatal(err)
		}
		answers(d, "DELETING ByGenre:ACTIVE", "gone")
		w.settle()
		w.checkNothingLeft()
	})
}

// TestDelayShowsStates looks at a table each second while changes take four, and again with a restart in between.
func TestDelayShowsStates(t *testing.T) {
	const delay = 4 * time.Second
	steps := []struct {
		name string
		do   func(*world) error
		want string // a state for each second
	}{
		{"create", func(w *world) error {
			_, err := w.manager.Create(w.ctx, definition(w.t, music+"\nglobal ByYear year:N ALL"))
			return err
		}, "CREATING ByYear:CREATING, =, =, =, ACTIVE ByYear:ACTIVE"},
		{"add an index", func(w *world) error {
			w.fill(3)
			_, err := w.manager.update(w.ctx, name("Music"), addIndex(w.t, "global ByGenre genre:S ALL"))
			return err
		}, "UPDATING ByYear:ACTIVE ByGenre:CREATING, =, ACTIVE ByYear:ACTIVE ByGenre:CREATING+, =, ACTIVE ByYear:ACTIVE ByGenre:ACTIVE"},
		{"throughput", func(w *world) error {
			_, err := w.manager.Update(w.ctx, name("Music"), func(d *table.Definition) error { d.Settings.Throughput.Read = 9; return nil })
			return err
		}, "UPDATING ByYear:ACTIVE ByGenre:ACTIVE, =, =, =, ACTIVE ByYear:ACTIVE ByGenre:ACTIVE"},
		{"drop an index", func(w *world) error {
			_, err := w.manager.Update(w.ctx, name("Music"), dropIndex("ByYear"))
			return err
		}, "UPDATING ByYear:DELETING ByGenre:ACTIVE, =, =, =, ACTIVE ByGenre:ACTIVE"},
		{"delete", func(w *world) error {
			_, err := w.manager.Delete(w.ctx, name("Music"))
			return err
		}, "DELETING ByGenre:ACTIVE, =, =, =, gone"},
	}
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart=%v", restart), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := dbtest.Engine(t)
				w := begin(t, e, delay)
				for _, s := range steps {
					if err := s.do(w); err != nil {
						t.Fatalf("%s: %v", s.name, err)
					}
					want := ""
					for i, next := range strings.Split(s.want, ", ") {
						if next != "=" {
							want = next
						}
						synctest.Wait()
						if got := state(w.catalog.Get(name("Music"))); got != want {
							t.Errorf("%s, second %d: %s, want %s", s.name, i, got, want)
						}
						time.Sleep(time.Second)
						if restart {
							w = w.restart(e, delay)
						}
					}
					if d := w.catalog.Get(name("Music")); d != nil {
						w.check(d)
					}
				}
				w.settle()
				w.checkNothingLeft()
			})
		})
	}
}

func TestSettingsWaitForTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, dbtest.Engine(t), time.Second)
		w.create(music + "\nlocal ByYear artist:S year:N ALL\nglobal ByGenre genre:S ALL")
		w.settle()
		answer := w.update(func(d *table.Definition) error {
			d.Settings.Throughput.Read, d.Index("ByGenre").Throughput.Read, d.Settings.Class = 7, 8, "STANDARD"
			return nil
		})
		set := func(edit func(*table.Definition)) {
			if _, err := w.manager.Set(w.ctx, name("Music"), func(d *table.Definition) error { edit(d); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		set(func(d *table.Definition) { d.Settings.DeletionProtection = true })
		set(func(d *table.Definition) { d.Tags = map[string]string{"a": "b"} })
		seen := func(d *table.Definition) string {
			return fmt.Sprintf("%d %d %q %v %v", d.Settings.Throughput.Read, d.Index("ByGenre").Throughput.Read, d.Settings.Class, d.Settings.DeletionProtection, d.Tags)
		}
		for _, c := range []struct {
			d    *table.Definition
			want string
		}{
			{answer, `0 0 "" false map[]`},
			{w.catalog.Get(name("Music")), `0 0 "" true map[a:b]`},
		} {
			if got := seen(c.d); got != c.want {
				t.Errorf("while UPDATING: %s, want %s", got, c.want)
			}
		}
		w.settle()
		if got, want := seen(w.catalog.Get(name("Music"))), `7 8 "STANDARD" true map[a:b]`; got != want {
			t.Errorf("afterwards: %s, want %s", got, want)
		}
	})
}

func TestRefusals(t *testing.T) {
	create := func(w *world) error {
		_, err := w.manager.Create(w.ctx, definition(w.t, music))
		return err
	}
	remove := func(w *world) error { _, err := w.manager.Delete(w.ctx, name("Music")); return err }
	update := func(w *world) error {
		_, err := w.manager.Update(w.ctx, name("Music"), func(d *table.Definition) error { d.Settings.Throughput.Read++; return nil })
		return err
	}
	set := func(w *world) error {
		_, err := w.manager.Set(w.ctx, name("Music"), func(*table.Definition) error { return nil })
		return err
	}
	reclass := func(w *world) error {
		_, err := w.manager.Update(w.ctx, name("Music"), func(d *table.Definition) error { d.Settings.Class = "STANDARD"; return nil })
		return err
	}
	updateIndex := func(w *world) error {
		_, err := w.manager.Update(w.ctx, name("Music"), func(d *table.Definition) error { d.Indexes[0].Throughput.Read++; return nil })
		return err
	}
	tag := func(value string) func(*world) error {
		return func(w *world) error {
			return w.manager.Tag(w.ctx, name("Music"), func(map[string]string) (map[string]string, error) {
				return map[string]string{"tag": value}, nil
			})
		}
	}
	add := func(index string) func(*world) error {
		return func(w *world) error {
			_, err := w.manager.update(w.ctx, name("Music"), addIndex(w.t, "global "+index+" genre:S ALL"))
			return err
		}
	}
	drop := func(index string) func(*world) error {
		return func(w *world) error {
			_, err := w.manager.Update(w.ctx, name("Music"), dropIndex(index))
			return err
		}
	}
	protect := func(w *world) error {
		_, err := w.manager.Set(w.ctx, name("Music"), func(d *table.Definition) error { d.Settings.DeletionProtection = true; return nil })
		return err
	}
	wait := func(d time.Duration) func(*world) error {
		return func(*world) error { time.Sleep(d); synctest.Wait(); return nil }
	}
	const delay = 10 * time.Second
	ready := []func(*world) error{create, wait(time.Minute)}
	filling := append(ready[:2:2], add("ByGenre"), wait(6*time.Second))
	for _, c := range []struct {
		name   string
		before []func(*world) error
		do     func(*world) error
		want   Reason // "" is success
	}{
		{"delete nothing", nil, remove, Missing},
		{"update nothing", nil, update, Missing},
		{"set nothing", nil, set, Missing},
		{"create while creating", ready[:1], create, BeingCreated},
		{"update while creating", ready[:1], update, BeingCreated},
		{"set while creating", ready[:1], set, BeingCreated},
		{"delete while creating", ready[:1], remove, BeingCreated},
		{"create again", ready, create, Exists},
		{"create while updating", append(ready[:2:2], update), create, Exists},
		{"update while updating", append(ready[:2:2], reclass), update, BeingUpdated},
		{"update while throughput changes", append(ready[:2:2], update), update, ThroughputChanging},
		{"set while updating", append(ready[:2:2], update), set, ""},
		{"delete while updating", append(ready[:2:2], reclass), remove, BeingUpdated},
		{"delete while throughput changes", append(ready[:2:2], update), remove, ThroughputChanging},
		{"delete while an index waits", append(ready[:2:2], add("ByGenre")), remove, IndexesChanging},
		{"delete while an index changes", append(filling[:4:4], wait(time.Minute), updateIndex), remove, IndexesChanging},
		{"delete while dropping an index", append(filling[:4:4], wait(time.Minute), drop("ByGenre")), remove, IndexesChanging},
		{"tag nothing", nil, tag("x"), Missing},
		{"tag while creating", ready[:1], tag("x"), BeingCreated},
		{"tag while updating", append(ready[:2:2], update), tag("x"), ""},
		{"tag while tagging", append(ready[:2:2], tag("x")), tag("y"), OneTagging},
		{"tag while tagging alike", append(ready[:2:2], tag("x")), tag("x"), ""},
		{"tag after tagging", append(ready[:2:2], tag("x"), wait(delay)), tag("y"), ""},
		{"update while tagging", append(ready[:2:2], tag("x")), update, ""},
		{"delete while tagging", append(ready[:2:2], tag("x")), remove, TagsChanging},
		{"delete after tagging", append(ready[:2:2], tag("x"), wait(delay)), remove, ""},
		{"delete while deleting", append(ready[:2:2], remove), remove, BeingDeleted},
		{"update while deleting", append(ready[:2:2], remove), update, BeingDeleted},
		{"set while deleting", append(ready[:2:2], remove), set, BeingDeleted},
		{"create while deleting", append(ready[:2:2], remove), create, Exists},
		{"create after deleting", append(ready[:2:2], remove, wait(time.Minute)), create, ""},
		{"delete while protected", append(ready[:2:2], protect), remove, Protected},
		{"delete while filling", filling, remove, IndexesChanging},
		{"update while filling", filling, update, ""},
		{"add while filling", filling, add("Other"), OneIndex},
		{"drop while filling", filling, drop("ByGenre"), ""},
		{"drop while the index waits", append(ready[:2:2], add("ByGenre")), drop("ByGenre"), BeingUpdated},
		{"drop another while filling", append(ready[:2:2], add("Other"), wait(time.Minute), add("ByGenre"), wait(6*time.Second)), drop("Other"), OneIndex},
		{"add while dropping", append(filling[:4:4], wait(time.Minute), drop("ByGenre")), add("Other"), BeingUpdated},
		{"add after dropping", append(filling[:4:4], drop("ByGenre"), wait(time.Minute)), add("ByGenre"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := begin(t, dbtest.Engine(t), delay)
				for _, do := range c.before {
					if err := do(w); err != nil {
						t.Fatal(err)
					}
				}
				var got Reason
				err := c.do(w)
				if e, ok := errors.AsType[*Error](err); ok {
					got = e.Reason
				} else if err != nil {
					t.Fatal(err)
				}
				if got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
				w.settle()
				w.checkNothingLeft()
			})
		})
	}
}

func TestTwoIndexesAtOnceAreRefused(t *testing.T) {
	w := begin(t, dbtest.Engine(t), 0)
	w.create(music)
	_, err := w.manager.Update(w.ctx, name("Music"), func(d *table.Definition) error {
		return errors.Join(addIndex(t, "global A genre:S ALL")(d), addIndex(t, "global B genre:S ALL")(d))
	})
	if e, ok := errors.AsType[*Error](err); !ok || e.Reason != OneIndex {
		t.Errorf("got %v, want %q", err, OneIndex)
	}
}

func TestEditsErrorChangesNothing(t *testing.T) {
	w := begin(t, dbtest.Engine(t), 0)
	w.create(music)
	before, wrong := w.catalog.Get(name("Music")), errors.New("wrong")
	edit := func(d *table.Definition) error { d.Settings.Throughput.Read++; return wrong }
	if _, err := w.manager.Update(w.ctx, name("Music"), edit); err != wrong {
		t.Errorf("Update: got %v, want %v", err, wrong)
	}
	if _, err := w.manager.Set(w.ctx, name("Music"), edit); err != wrong {
		t.Errorf("Set: got %v, want %v", err, wrong)
	}
	if w.catalog.Get(name("Music")) != before {
		t.Error("the definition has changed")
	}
}

// TestIndexNumbersAreNotUsedAgain: what a dropped index leaves until it is purged must not be taken for entries of another.
func TestIndexNumbersAreNotUsedAgain(t *testing.T) {
	w := begin(t, dbtest.Engine(t), 0)
	w.create(music + "\nglobal ByYear year:N ALL")
	seen := map[uint16]bool{w.catalog.Get(name("Music")).Index("ByYear").Number: true}
	for range 5 {
		w.update(dropIndex("ByYear"))
		w.update(addIndex(t, "global ByYear year:N ALL"))
		n := w.catalog.Get(name("Music")).Index("ByYear").Number
		if n == 0 || seen[n] {
			t.Errorf("number %d is used again", n)
		}
		seen[n] = true
	}
}

func TestTablesHaveIDs(t *testing.T) {
	w := begin(t, dbtest.Engine(t), 0)
	first := w.create(music)
	if _, err := w.manager.Delete(w.ctx, name("Music")); err != nil {
		t.Fatal(err)
	}
	if second := w.create(music); first.ID == "" || first.ID == second.ID || second.Created.IsZero() {
		t.Errorf("IDs %q and %q, created %v", first.ID, second.ID, second.Created)
	}
}
