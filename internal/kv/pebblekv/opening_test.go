package pebblekv

import "testing"

// TestOpeningCompactsNothing: while the store is opened or closed no compaction begins, for which it would have to wait.
func TestOpeningCompactsNothing(t *testing.T) {
	var db DB
	if least, most := db.compactions(); least != 0 || most < 1 {
		t.Errorf("while it is opened: %d to %d", least, most)
	}
	db.opened.Store(true)
	if least, most := db.compactions(); least != 1 || most < 1 {
		t.Errorf("afterwards: %d to %d", least, most)
	}
	db.closing.Store(true)
	if least, most := db.compactions(); least != 0 || most < 1 {
		t.Errorf("while it is closed: %d to %d", least, most)
	}
}
