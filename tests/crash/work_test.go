package crash

import (
	"fmt"
	"strings"
)

// A worker does one sort of work on items of its own and knows what must have come of it.
type worker interface {
	// work works until the server is gone: it returns the error of the call after which nobody knows, or a fault.
	work(c *client) error
	// check looks at what is left of the work after a restart, and gets ready to go on.
	check(c *client) error
}

const table = "Work" // pk S, sk S; local index by n, global index ByHolder

// A putter puts one item after another.
type putter struct {
	name    string
	cycle   int
	done    map[int]int // by cycle: how many items were acknowledged
	pending bool        // the next one was sent
}

func (p *putter) key(cycle, n int) object {
	return object{"pk": str(fmt.Sprintf("%s-%d", p.name, cycle)), "sk": str(fmt.Sprintf("%06d", n))}
}

func (p *putter) work(c *client) error {
	p.cycle++
	for {
		it := p.key(p.cycle, p.done[p.cycle])
		it["n"], it["holder"], it["text"] = num(p.done[p.cycle]), str(p.name), str(strings.Repeat("text", 20))
		p.pending = true
		if _, err := c.call("PutItem", object{"TableName": table, "Item": it}); err != nil {
			return err
		}
		p.done[p.cycle]++
		p.pending = false
	}
}

func (p *putter) check(c *client) error { return p.checkCycle(c, p.cycle) }

// checkAll checks the items of all cycles.
func (p *putter) checkAll(c *client) error {
	for cycle := range p.done {
		if err := p.checkCycle(c, cycle); err != nil {
			return err
		}
	}
	return nil
}

func (p *putter) checkCycle(c *client, cycle int) error {
	items, err := c.pages("Query", object{
		"TableName": table, "ConsistentRead": true, "KeyConditionExpression": "pk = :pk",
		"ExpressionAttributeValues": object{":pk": p.key(cycle, 0)["pk"]},
	})
	if err != nil {
		return err
	}
	for n, it := range items {
		if number(it, "n") != n || at(it, "sk", "S") != fmt.Sprintf("%06d", n) || at(it, "holder", "S") != p.name {
			return fmt.Errorf("%s: item %d of cycle %d is %v", p.name, n, cycle, it)
		}
	}
	done := p.done[cycle]
	if extra := len(items) - done; extra < 0 || extra > 1 || extra == 1 && cycle == p.cycle && !p.pending {
		return fmt.Errorf("%s: %d items of cycle %d, %d were acknowledged", p.name, len(items), cycle, done)
	}
	p.done[cycle], p.pending = len(items), false
	return nil
}

// A counter adds to a number, and reads it back at times.
type counter struct {
	name    string
	value   int // acknowledged, or seen in a read
	pending bool
}

func (k *counter) key() object { return object{"pk": str(k.name), "sk": str("counter")} }

func (k *counter) work(c *client) error {
	for {
		k.pending = true
		out, err := c.call("UpdateItem", object{
			"TableName": table, "Key": k.key(), "UpdateExpression": "ADD n :one SET holder = :holder", "ReturnValues": "UPDATED_NEW",
			"ExpressionAttributeValues": object{":one": num(1), ":holder": str(k.name)},
		})
		if err != nil {
			return err
		}
		k.value++
		k.pending = false
		if got := number(out["Attributes"], "n"); got != k.value {
			return fmt.Errorf("%w: %s counts %d, want %d", errFault, k.name, got, k.value)
		}
	}
}

func (k *counter) check(c *client) error {
	it, err := c.get(table, k.key())
	if err != nil {
		return err
	}
	got := number(it, "n")
	if got != k.value && !(k.pending && got == k.value+1) {
		return fmt.Errorf("%s is %d, %d was acknowledged", k.name, got, k.value)
	}
	k.value, k.pending = got, false
	return nil
}

// A toggler puts and deletes the same few items.
type toggler struct {
	name    string
	there   [5]bool
	pending int // the item that is being changed, -1 for none
}

func (g *toggler) key(i int) object { return object{"pk": str(g.name), "sk": str(fmt.Sprint(i))} }

func (g *toggler) work(c *client) error {
	for i := 0; ; i = (i + 1) % len(g.there) {
		g.pending = i
		op, in := "DeleteItem", object{"TableName": table, "Key": g.key(i), "ConditionExpression": "attribute_exists(pk)"}
		if !g.there[i] {
			it := g.key(i)
			it["holder"], it["n"] = str(g.name), num(i)
			op, in = "PutItem", object{"TableName": table, "Item": it, "ConditionExpression": "attribute_not_exists(pk)"}
		}
		if _, err := c.call(op, in); err != nil {
			return err
		}
		g.there[i] = !g.there[i]
		g.pending = -1
	}
}

func (g *toggler) check(c *client) error {
	for i, want := range g.there {
		it, err := c.get(table, g.key(i))
		if err != nil {
			return err
		}
		if (it != nil) != want && g.pending != i {
			return fmt.Errorf("%s: item %d is there: %v, want %v", g.name, i, it != nil, want)
		}
		g.there[i] = it != nil
	}
	g.pending = -1
	return nil
}

// A trader adds to three items in two tables, in one transaction with a token, which it sends again if it does not know.
type trader struct {
	name    string
	value   int // of each item
	pending bool
	resent  int // how often it had to send a transaction again
}

func (d *trader) keys() []object {
	return []object{
		{"TableName": table, "Key": object{"pk": str(d.name), "sk": str("a")}},
		{"TableName": table, "Key": object{"pk": str("other-" + d.name), "sk": str("b")}},
		{"TableName": bigTable, "Key": object{"pk": str(d.name)}},
	}
}

func (d *trader) transact(c *client) error {
	var items []any
	for _, k := range d.keys() {
		k["UpdateExpression"], k["ExpressionAttributeValues"] = "ADD n :one", object{":one": num(1)}
		items = append(items, object{"Update": k})
	}
	_, err := c.call("TransactWriteItems", object{"ClientRequestToken": fmt.Sprintf("%s-%d", d.name, d.value), "TransactItems": items})
	return err
}

func (d *trader) work(c *client) error {
	for {
		d.pending = true
		if err := d.transact(c); err != nil {
			return err
		}
		d.value++
		d.pending = false
	}
}

// values reads the items, all at one moment.
func (d *trader) values(c *client) (values [3]int, err error) {
	var items []any
	for _, k := range d.keys() {
		items = append(items, object{"Get": k})
	}
	out, err := c.call("TransactGetItems", object{"TransactItems": items})
	responses, _ := out["Responses"].([]any)
	for i, r := range responses {
		values[i] = number(at(r, "Item"), "n")
	}
	return values, err
}

func (d *trader) check(c *client) error {
	got, err := d.values(c)
	if err != nil {
		return err
	}
	want := [3]int{d.value, d.value, d.value}
	next := [3]int{d.value + 1, d.value + 1, d.value + 1}
	if got != want && !(d.pending && got == next) {
		return fmt.Errorf("%s: items are %v, %d was acknowledged, another under way: %v", d.name, got, d.value, d.pending)
	}
	if !d.pending {
		return nil
	}
	if err := d.transact(c); err != nil { // once more or for the first time: it counts once
		return err
	}
	d.value++
	d.resent++
	d.pending = false
	if got, err = d.values(c); err == nil && got != next {
		err = fmt.Errorf("%s: after the transaction was sent again the items are %v, want %v", d.name, got, next)
	}
	return err
}
