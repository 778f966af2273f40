package memkv

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTree makes random changes, many and few at once, to a tree and to a map, and looks whether they hold the same; and whether snapshots
// stay as they were.
func TestTree(t *testing.T) {
	for seed := range uint64(4) {
		var (
			rng   = rand.New(rand.NewPCG(seed, 1))
			tr    = newTree()
			model = map[string]string{}
			kept  *tree
			was   map[string]string
		)
		for round := range 200 {
			if round%7 == 0 {
				if kept != nil {
					checkTree(t, kept, was)
				}
				kept, was = tr.snapshot(), maps.Clone(model)
			}
			grow := round%100 < 60
			o := order{tree: tr}
			o.add(randomChanges(rng, model, grow))
			if round%5 == 0 {
				checkTree(t, tr, model)
			}
		}
		for key := range model { // down to nothing
			tr.apply([]change{{entry: entryOf(testCell(key, "")), gone: true}})
			delete(model, key)
			if len(model)%997 == 0 {
				checkTree(t, tr, model)
			}
		}
		checkTree(t, tr, model)
	}
}

// treeSpaces are what keys have in common: nothing, what rows of a table have, and what items of a partition have.
var treeSpaces = []string{"", "000000000", "\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00", "\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x42\x42customer#2026-"}

// randomChanges changes the model and returns what does the same to a tree: puts mostly if it is to grow, else deletes.
func randomChanges(rng *rand.Rand, model map[string]string, grow bool) []change {
	var changes []change
	for i := range 1 + rng.IntN(1<<rng.IntN(10)) {
		key := fmt.Sprintf("%c%s%04d", byte(3+rng.IntN(2)), treeSpaces[rng.IntN(len(treeSpaces))], rng.IntN(2000))
		c := testCell(key, fmt.Sprint(i))
		gone := (rng.IntN(10) == 0) == grow
		if changes = append(changes, change{entryOf(c), int32(i), gone}); gone {
			delete(model, key)
		} else {
			model[key] = string(c.value())
		}
	}
	return changes
}

// checkTree checks that a tree holds what the model does, both ways and key by key, and that its nodes are sound.
func checkTree(t *testing.T, tr *tree, model map[string]string) {
	t.Helper()
	want := slices.Sorted(maps.Keys(model))
	for _, backwards := range []bool{false, true} {
		var (
			c   cursor
			got []string
		)
		if backwards {
			c.end(tr)
		} else {
			c.seek(tr, "", false)
		}
		for c.step(backwards) {
			e := c.entry()
			if got = append(got, e.key()); string(e.value()) != model[e.key()] {
				t.Fatalf("%q is %q, want %q", e.key(), e.value(), model[e.key()])
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("backwards %v: %d keys, want %d in order", backwards, len(got), len(want))
		}
		slices.Reverse(want)
	}
	for key, val := range model {
		if c := tr.find(key); c == nil || string(c.value()) != val {
			t.Fatalf("%q is not found", key)
		}
		if c := tr.find(key + "\x00"); c != nil {
			t.Fatalf("%q is found", c.key())
		}
	}
	checkNode(t, tr.root)
}

// checkNode returns the first entry under n and how many levels there are.
func checkNode(t *testing.T, n *node) (first entry, levels int) {
	t.Helper()
	if len(n.entries) > nodeMost || n.kids != nil && len(n.kids) != len(n.entries) {
		t.Fatalf("a node of %d entries, %d kids", len(n.entries), len(n.kids))
	}
	for i, kid := range n.kids {
		first, under := checkNode(t, kid)
		if len(kid.entries) == 0 || first != n.entries[i] || i > 0 && under != levels {
			t.Fatalf("kid %d: %d entries, %d levels beside %d", i, len(kid.entries), under, levels)
		}
		levels = under
	}
	if len(n.entries) > 0 {
		first = n.first()
	}
	return first, levels + 1
}

func testCell(key, val string) *cell { return newCell(newBlock([]byte(key), []byte(val)), 0, nil) }
