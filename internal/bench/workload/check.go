package workload

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/grammedb/gramme/internal/lib/jsontok"
)

// A checker compares answers with what must be in them. It keeps memory between them.
type checker struct {
	cfg       *Config
	got, want tree
	item      []byte // as it was written
	seen      map[uint64]bool
}

// CheckAnswer says what is wrong with the answer to a request of operation o, nil if nothing is.
func (g *Generator) CheckAnswer(o *Operation, c *Cursor, body []byte) error {
	if g.check == nil {
		g.check = &checker{cfg: g.cfg, seen: map[uint64]bool{}}
	}
	answer, ok := g.check.got.parse(body)
	switch {
	case !ok || answer.node().kind != jsontok.Object:
		return errors.New("not a JSON object")
	case o.Check != nil:
		return o.Check(g.check, c, answer)
	}
	return nil
}

// number returns the prepared item that one is, false if it is none: a fresh one, whose content cannot be told from its key.
func (k *checker) number(item value) (uint64, bool) {
	text, prepared := bytes.CutPrefix(item.get("pk").get("S").bytes(), []byte("exp-"))
	p, ok := parseUint(text)
	n, ok2 := parseUint(item.get("sk").get("N").bytes())
	return p*k.cfg.PerPartition + n, prepared && ok && ok2 && n < k.cfg.PerPartition
}

func parseUint(b []byte) (uint64, bool) {
	v, err := strconv.ParseUint(string(b), 10, 64)
	return v, err == nil
}

// checkItem compares an item with what was written. Its status and counter may have been updated since.
func (k *checker) checkItem(got value) error {
	i, prepared := k.number(got)
	if !prepared {
		return nil
	}
	k.item = k.cfg.appendItem(k.item[:0], preparedKey, i)
	want, ok := k.want.parse(k.item)
	if !ok || got.len() != want.len() {
		return fmt.Errorf("item %d has %d attributes, want %d", i, got.len(), want.len())
	}
	for w := range want.all() {
		g := got.get(string(w.name()))
		switch string(w.name()) {
		case "status":
			if !slices.Contains(statuses[:], string(g.get("S").bytes())) {
				return fmt.Errorf("item %d has the status %q", i, g.get("S").bytes())
			}
		case "counter":
			if _, ok := parseUint(g.get("N").bytes()); !ok {
				return fmt.Errorf("item %d has the counter %q", i, g.get("N").bytes())
			}
		default:
			if !g.equal(w) {
				return fmt.Errorf("item %d: attribute %s is not what was written", i, w.name())
			}
		}
	}
	return nil
}

func (k *checker) checkItems(items value) error {
	for item := range items.all() {
		if err := k.checkItem(item); err != nil {
			return err
		}
	}
	return nil
}

func checkGet(k *checker, c *Cursor, answer value) error {
	item := answer.get("Item")
	if !item.exists() {
		return fmt.Errorf("item %d is missing", c.key)
	}
	if i, ok := k.number(item); !ok || i != c.key {
		return fmt.Errorf("asked for item %d, got another", c.key)
	}
	return k.checkItem(item)
}

// page checks the count and the items of a page, and returns them. whole: no page follows.
func (k *checker) page(answer value) (items value, whole bool, err error) {
	items = answer.get("Items")
	if n, ok := parseUint(answer.get("Count").bytes()); !ok || n != uint64(items.len()) {
		return items, false, errors.New("the Count is not the number of items")
	}
	return items, !answer.get("LastEvaluatedKey").exists(), k.checkItems(items)
}

// run checks that items are from..from+n-1 in this order. Behind the loaded items there may be fewer.
func (k *checker) run(items value, from, n uint64) error {
	got, loaded := uint64(items.len()), from+n <= k.cfg.Items
	if got > n || got < n && loaded {
		return fmt.Errorf("%d items of partition %d, want %d", got, from/k.cfg.PerPartition, n)
	}
	next := from
	for item := range items.all() {
		if i, ok := k.number(item); !ok || i != next && loaded {
			return fmt.Errorf("items of partition %d are not in order", from/k.cfg.PerPartition)
		}
		next++
	}
	return nil
}

func checkQuery(k *checker, c *Cursor, answer value) error {
	items, whole, err := k.page(answer)
	if err != nil || !whole { // a partition of large items takes several pages, of which this is the first
		return err
	}
	per := k.cfg.PerPartition
	return k.run(items, c.key/per*per, per)
}

func checkRange(k *checker, c *Cursor, answer value) error {
	items, whole, err := k.page(answer)
	if err != nil {
		return err
	}
	n := min(uint64(c.asked), k.cfg.PerPartition-c.key%k.cfg.PerPartition)
	if !whole {
		n = min(n, uint64(items.len()))
	}
	return k.run(items, c.key, n)
}

func checkIndex(k *checker, c *Cursor, answer value) error {
	items, whole, err := k.page(answer)
	if err != nil {
		return err
	}
	if items.len() != indexPage && whole {
		return fmt.Errorf("%d entries of the index, want %d", items.len(), indexPage)
	}
	k.item = appendExperiment(k.item[:0], c.key/perExperiment%100000)
	want := bytes.Trim(k.item, `"`)
	var before []byte
	for item := range items.all() {
		if e := item.get("experiment_id").get("S").bytes(); !bytes.Equal(e, want) {
			return fmt.Errorf("an entry of %s, want %s", e, want)
		}
		at := item.get("created_at").get("S").bytes()
		if before != nil && bytes.Compare(at, before) > 0 {
			return errors.New("entries of the index are not in descending order")
		}
		before = at
	}
	return nil
}

// checkBatchGet checks one answer of a chain that ends when no key is left unprocessed.
func checkBatchGet(k *checker, c *Cursor, answer value) error {
	items := answer.get("Responses").get(k.cfg.Table)
	if c.asked -= items.len(); c.asked < 0 || c.asked > 0 && answer.get("UnprocessedKeys").len() == 0 {
		return fmt.Errorf("%d items of %d", batchGetItems-c.asked, batchGetItems)
	}
	clear(k.seen)
	for item := range items.all() {
		i, ok := k.number(item)
		if !ok || k.seen[i] {
			return errors.New("an item that was not asked for, or one twice")
		}
		k.seen[i] = true
	}
	return k.checkItems(items)
}

func checkScan(k *checker, _ *Cursor, answer value) error {
	items, _, err := k.page(answer)
	if err != nil {
		return err
	}
	for item := range items.all() {
		n := item.get("metrics").get("M").get("accuracy").get("N").bytes()
		if v, err := strconv.ParseFloat(string(n), 64); err != nil || v <= 0.99 {
			return fmt.Errorf("an item with accuracy %q passed the filter", n)
		}
	}
	return nil
}

func checkScanFrom(k *checker, c *Cursor, answer value) error {
	items, _, err := k.page(answer)
	if err == nil && items.len() > c.asked {
		err = fmt.Errorf("%d items, the limit is %d", items.len(), c.asked)
	}
	return err
}
