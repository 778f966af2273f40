package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// An item as an answer has it: attribute, type, value.
type item map[string]map[string]any

// answer is what reads answer with.
type answer struct {
	Item             item
	Items            []item
	Count            *int
	Responses        map[string][]item
	UnprocessedKeys  map[string]any
	LastEvaluatedKey item
}

func decode(body []byte) (*answer, error) {
	a := new(answer)
	if err := json.Unmarshal(body, a); err != nil {
		return nil, errors.New("not JSON of the right form")
	}
	return a, nil
}

// CheckAnswer says what is wrong with the answer to a request of operation o, nil if nothing is.
func (g *Generator) CheckAnswer(o *Operation, c *Cursor, body []byte) error {
	if o.Check != nil {
		return o.Check(g, c, body)
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return errors.New("not a JSON object")
	}
	return nil
}

// number returns the prepared item that i is, false if it is none: a fresh one, whose content cannot be told from its key.
func (c *Config) number(i item) (uint64, bool) {
	pk, _ := i["pk"]["S"].(string)
	sk, _ := i["sk"]["N"].(string)
	text, prepared := strings.CutPrefix(pk, "exp-")
	p, err := strconv.ParseUint(text, 10, 64)
	n, err2 := strconv.ParseUint(sk, 10, 64)
	return p*c.PerPartition + n, prepared && err == nil && err2 == nil && n < c.PerPartition
}

// checkItem compares an item with what was written. Its status and counter may have been updated since.
func (c *Config) checkItem(got item) error {
	i, prepared := c.number(got)
	if !prepared {
		return nil
	}
	var want item
	if err := json.Unmarshal(c.appendItem(nil, preparedKey, i), &want); err != nil {
		return err
	}
	if len(got) != len(want) {
		return fmt.Errorf("item %d has %d attributes, want %d", i, len(got), len(want))
	}
	for name, w := range want {
		g := got[name]
		switch name {
		case "status":
			if s, _ := g["S"].(string); !slices.Contains(statuses[:], s) {
				return fmt.Errorf("item %d has the status %v", i, g)
			}
		case "counter":
			if n, _ := g["N"].(string); !isDigits(n) {
				return fmt.Errorf("item %d has the counter %v", i, g)
			}
		default:
			if !reflect.DeepEqual(g, w) {
				return fmt.Errorf("item %d: attribute %s is not what was written", i, name)
			}
		}
	}
	return nil
}

func isDigits(s string) bool {
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}

func (c *Config) checkItems(items []item) error {
	for _, i := range items {
		if err := c.checkItem(i); err != nil {
			return err
		}
	}
	return nil
}

func checkGet(g *Generator, c *Cursor, body []byte) error {
	a, err := decode(body)
	if err != nil {
		return err
	}
	if a.Item == nil {
		return fmt.Errorf("item %d is missing", c.key)
	}
	if i, ok := g.cfg.number(a.Item); !ok || i != c.key {
		return fmt.Errorf("asked for item %d, got another", c.key)
	}
	return g.cfg.checkItem(a.Item)
}

// page decodes a page of items and checks its count and the items.
func (c *Config) page(body []byte) (*answer, error) {
	a, err := decode(body)
	if err != nil {
		return nil, err
	}
	if a.Count == nil || *a.Count != len(a.Items) {
		return nil, errors.New("Count is not the number of items")
	}
	return a, c.checkItems(a.Items)
}

// run checks that a page has items from..from+n-1 in this order. Behind the loaded items there may be fewer.
func (c *Config) run(a *answer, from, n uint64) error {
	got := uint64(len(a.Items))
	if got > n || got < n && from+n <= c.Items {
		return fmt.Errorf("%d items of partition %d, want %d", got, from/c.PerPartition, n)
	}
	for k, it := range a.Items {
		if i, ok := c.number(it); !ok || i != from+uint64(k) && from+n <= c.Items {
			return fmt.Errorf("items of partition %d are not in order", from/c.PerPartition)
		}
	}
	return nil
}

func checkQuery(g *Generator, c *Cursor, body []byte) error {
	a, err := g.cfg.page(body)
	if err != nil {
		return err
	}
	if a.LastEvaluatedKey != nil { // a partition of large items takes several pages, of which this is the first
		return nil
	}
	per := g.cfg.PerPartition
	return g.cfg.run(a, c.key/per*per, per)
}

func checkRange(g *Generator, c *Cursor, body []byte) error {
	a, err := g.cfg.page(body)
	if err != nil {
		return err
	}
	n := min(uint64(c.asked), g.cfg.PerPartition-c.key%g.cfg.PerPartition)
	if a.LastEvaluatedKey != nil {
		n = min(n, uint64(len(a.Items)))
	}
	return g.cfg.run(a, c.key, n)
}

func checkIndex(g *Generator, c *Cursor, body []byte) error {
	a, err := g.cfg.page(body)
	if err != nil {
		return err
	}
	if len(a.Items) != indexPage && a.LastEvaluatedKey == nil {
		return fmt.Errorf("%d entries of the index, want %d", len(a.Items), indexPage)
	}
	want, before := string(appendExperiment(nil, c.key/perExperiment%100000)), ""
	for _, it := range a.Items {
		e, _ := it["experiment_id"]["S"].(string)
		at, _ := it["created_at"]["S"].(string)
		if `"`+e+`"` != want {
			return fmt.Errorf("an entry of %s, want %s", e, want)
		}
		if before != "" && at > before {
			return errors.New("entries of the index are not in descending order")
		}
		before = at
	}
	return nil
}

// checkBatchGet checks one answer of a chain that ends when no key is left unprocessed.
func checkBatchGet(g *Generator, c *Cursor, body []byte) error {
	a, err := decode(body)
	if err != nil {
		return err
	}
	items := a.Responses[g.cfg.Table]
	if c.asked -= len(items); c.asked < 0 || c.asked > 0 && len(a.UnprocessedKeys) == 0 {
		return fmt.Errorf("%d items of %d", batchGetItems-c.asked, batchGetItems)
	}
	seen := map[uint64]bool{}
	for _, it := range items {
		i, ok := g.cfg.number(it)
		if !ok || seen[i] {
			return errors.New("an item that was not asked for, or one twice")
		}
		seen[i] = true
	}
	return g.cfg.checkItems(items)
}

func checkScan(g *Generator, _ *Cursor, body []byte) error {
	a, err := g.cfg.page(body)
	if err != nil {
		return err
	}
	for _, it := range a.Items {
		metrics, _ := it["metrics"]["M"].(map[string]any)
		accuracy, _ := metrics["accuracy"].(map[string]any)
		n, _ := accuracy["N"].(string)
		if v, err := strconv.ParseFloat(n, 64); err != nil || v <= 0.99 {
			return fmt.Errorf("an item with accuracy %q passed the filter", n)
		}
	}
	return nil
}

func checkScanFrom(g *Generator, c *Cursor, body []byte) error {
	a, err := g.cfg.page(body)
	if err == nil && len(a.Items) > c.asked {
		err = fmt.Errorf("%d items, the limit is %d", len(a.Items), c.asked)
	}
	return err
}
