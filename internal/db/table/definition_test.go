package table_test

import (
	"fmt"
	"testing"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/table"
)

const definition = `
Music artist:S song:S
local ByYear artist:S year:N ALL
global ByGenre genre:S year:N INCLUDE(length)
global Wide genre:S+label:S song:S KEYS_ONLY`

func TestAttributes(t *testing.T) {
	got := fmt.Sprint(dbtest.Define(t, definition).Attributes())
	if want := "[{artist S} {genre S} {label S} {song S} {year N}]"; got != want {
		t.Errorf("key attributes %s, want %s", got, want)
	}
}

func TestIndexes(t *testing.T) {
	d := dbtest.Define(t, definition)
	if ix := d.Index("ByGenre"); ix == nil || ix.Number != 2 || ix != d.IndexNumbered(2) {
		t.Errorf("index 2 is %+v", ix)
	}
	if d.Index("None") != nil || d.IndexNumbered(9) != nil {
		t.Error("an index that is not there")
	}
	if !d.HasLocal() || dbtest.Define(t, "T a:S\nglobal G b:S ALL").HasLocal() || dbtest.Define(t, "T a:S").HasLocal() {
		t.Error("only Music has a local index")
	}
}

func TestSchemaFind(t *testing.T) {
	s := &dbtest.Define(t, definition).Index("Wide").Schema
	for name, want := range map[string]bool{"genre": true, "label": true, "song": true, "artist": false} {
		if _, ok := s.Find(name); ok != want {
			t.Errorf("%s is a key attribute: %v", name, ok)
		}
	}
	if got := fmt.Sprint(s.All()); got != "[{genre S} {label S} {song S}]" {
		t.Errorf("all key attributes are %s", got)
	}
}

// A change of a copy must not be seen in the definition it was made of.
func TestClone(t *testing.T) {
	d := dbtest.Define(t, definition)
	c := d.Clone()
	c.Status = table.Deleting
	c.Index("ByGenre").Status = table.Deleting
	c.Indexes = append(c.Indexes, table.Index{Name: "More"})
	if d.Status != table.Active || d.Index("ByGenre").Status != table.Active || d.Index("More") != nil {
		t.Errorf("the original has changed: %+v", d)
	}
}

func TestNames(t *testing.T) {
	d := dbtest.Define(t, definition)
	if got := d.ARN(); got != "arn:aws:dynamodb:eu-test-1:000000000000:table/Music" {
		t.Errorf("ARN %s", got)
	}
	if d.FullName() != (table.Name{Account: "000000000000", Region: "eu-test-1", Table: "Music"}) {
		t.Errorf("name %+v", d.FullName())
	}
}

// TestNumbersBeginAnew: a table that has had 65,535 indexes gives the next one a number that is free, and never that of the table itself.
func TestNumbersBeginAnew(t *testing.T) {
	d := dbtest.Define(t, definition) // with indexes 1, 2 and 3
	d.TTL.Entries, d.NextIndex = 4, 65_534
	for _, want := range []uint16{65_534, 65_535, 5, 6} {
		if got := d.TakeNumber(); got != want {
			t.Errorf("the number is %d, want %d", got, want)
		}
	}
}
