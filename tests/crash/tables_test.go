package crash

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"
)

const (
	bigTable = "Big" // pk S; an index on it comes and goes
	bigItems = 3000
	bigIndex = "ByColor"
)

var errFault = errors.New("fault")

// fill makes the tables and fills the big one.
func fill(c *client) error {
	if err := makeTable(c, object{
		"TableName": table, "BillingMode": "PAY_PER_REQUEST", "KeySchema": keys("pk", "sk"),
		"AttributeDefinitions":   definitions("pk", "S", "sk", "S", "n", "N", "holder", "S"),
		"LocalSecondaryIndexes":  []any{index("ByN", "pk", "n")},
		"GlobalSecondaryIndexes": []any{index("ByHolder", "holder", "n")},
		"StreamSpecification":    object{"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
	}); err != nil {
		return err
	}
	if err := makeTable(c, object{"TableName": bigTable, "BillingMode": "PAY_PER_REQUEST", "KeySchema": keys("pk"), "AttributeDefinitions": definitions("pk", "S")}); err != nil {
		return err
	}
	if err := makeMortalTable(c); err != nil {
		return err
	}
	return putMany(c, bigTable, bigItems)
}

func makeTable(c *client, in object) error {
	_, err := c.call("CreateTable", in)
	return err
}

func putMany(c *client, name string, n int) error {
	for i := 0; i < n; i += 25 {
		var requests []any
		for j := i; j < min(i+25, n); j++ {
			it := object{"pk": str(fmt.Sprint("item-", j)), "color": str(fmt.Sprint("color-", j%10))}
			requests = append(requests, object{"PutRequest": object{"Item": it}})
		}
		if _, err := c.call("BatchWriteItem", object{"RequestItems": object{name: requests}}); err != nil {
			return err
		}
	}
	return nil
}

func keys(names ...string) (schema []any) {
	for i, name := range names {
		schema = append(schema, object{"AttributeName": name, "KeyType": []string{"HASH", "RANGE"}[i]})
	}
	return schema
}

func definitions(pairs ...string) (defs []any) {
	for i := 0; i < len(pairs); i += 2 {
		defs = append(defs, object{"AttributeName": pairs[i], "AttributeType": pairs[i+1]})
	}
	return defs
}

func index(name string, names ...string) object {
	return object{"IndexName": name, "KeySchema": keys(names...), "Projection": object{"ProjectionType": "ALL"}}
}

// A presence is what is known of something that is made and removed.
type presence int

const (
	gone presence = iota
	there
	either
)

// An indexer makes an index of the big table, which takes a while, and drops it again.
type indexer struct {
	index   presence
	resumed int // how often the building of the index was found under way after a restart
}

func (x *indexer) work(c *client) error {
	for {
		for _, wish := range []presence{there, gone} {
			update := object{"Delete": object{"IndexName": bigIndex}}
			if wish == there {
				update = object{"Create": index(bigIndex, "color")}
			}
			if x.index == wish {
				continue
			}
			x.index = either
			_, err := c.call("UpdateTable", object{"TableName": bigTable, "AttributeDefinitions": definitions("color", "S"),
				"GlobalSecondaryIndexUpdates": []any{update}})
			if err != nil {
				return err
			}
			x.index = wish
			if err := awaitActive(c, bigTable); err != nil {
				return err
			}
		}
	}
}

// awaitActive waits until a table and its indexes are ACTIVE.
func awaitActive(c *client, name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if yes, err := active(c, name); yes || err != nil {
			return err
		}
		time.Sleep(2 * time.Millisecond) // polling is what a client has
	}
	return fmt.Errorf("%w: %s does not become ACTIVE", errFault, name)
}

// active reports whether a table and its indexes are ACTIVE.
func active(c *client, name string) (bool, error) {
	d, err := c.call("DescribeTable", object{"TableName": name})
	if err != nil {
		return false, err
	}
	yes := at(d, "Table", "TableStatus") == "ACTIVE"
	indexes, _ := at(d, "Table", "GlobalSecondaryIndexes").([]any)
	for _, ix := range indexes {
		yes = yes && at(ix, "IndexStatus") == "ACTIVE"
	}
	return yes, nil
}

// check finds the index built, if it is there: what was killed has gone on.
func (x *indexer) check(c *client) error {
	if yes, err := active(c, bigTable); err == nil && !yes {
		x.resumed++
	}
	if err := awaitActive(c, bigTable); err != nil {
		return err
	}
	out, err := c.call("Scan", object{"TableName": bigTable, "IndexName": bigIndex, "Select": "COUNT"})
	r, ok := errors.AsType[*remote](err)
	switch {
	case ok && r.code == "ValidationException" && x.index != there:
		x.index = gone
		return nil
	case err != nil:
		return err
	case x.index == gone:
		return errors.New("an index that was dropped is there again")
	}
	x.index = there
	if n, _ := out["Count"].(float64); int(n) != bigItems {
		return fmt.Errorf("the index has %v entries, want %d", n, bigItems)
	}
	return nil
}

// A dropper makes a table, fills it a little, and drops it again.
type dropper struct {
	name  string
	table presence
}

func (d *dropper) work(c *client) error {
	for {
		if d.table != there {
			d.table = either
			in := object{"TableName": d.name, "BillingMode": "PAY_PER_REQUEST", "KeySchema": keys("pk"),
				"AttributeDefinitions": definitions("pk", "S", "color", "S"), "GlobalSecondaryIndexes": []any{index(bigIndex, "color")}}
			if err := makeTable(c, in); err != nil {
				return err
			}
			d.table = there
		}
		if err := putMany(c, d.name, 200); err != nil {
			return err
		}
		d.table = either
		if _, err := c.call("DeleteTable", object{"TableName": d.name}); err != nil {
			return err
		}
		d.table = gone
	}
}

func (d *dropper) check(c *client) error {
	_, err := c.call("DescribeTable", object{"TableName": d.name})
	is := there
	if r, ok := errors.AsType[*remote](err); ok && r.code == "ResourceNotFoundException" {
		is = gone
	} else if err != nil {
		return err
	}
	if d.table != either && d.table != is {
		return fmt.Errorf("table %s is there: %v, want %v", d.name, is == there, d.table == there)
	}
	d.table = is
	return nil
}

// checkIndexes compares what the indexes of the table of most workers show with what the table does.
func checkIndexes(c *client) error {
	want := map[string]any{}
	items, err := c.pages("Scan", object{"TableName": table, "ConsistentRead": true})
	if err != nil {
		return err
	}
	for _, it := range items {
		want[id(it)] = it
	}
	for name, key := range map[string]string{"ByHolder": "holder", "ByN": "n"} {
		entries, err := c.pages("Scan", object{"TableName": table, "IndexName": name})
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		for _, e := range entries {
			if !reflect.DeepEqual(e, want[id(e)]) || seen[id(e)] {
				return fmt.Errorf("index %s shows %v, the table has %v", name, e, want[id(e)])
			}
			seen[id(e)] = true
		}
		for i, it := range want {
			if at(it, key) != nil && at(it, "n") != nil && !seen[i] {
				return fmt.Errorf("index %s lacks %v", name, it)
			}
		}
	}
	return nil
}

func id(it any) string { return fmt.Sprint(at(it, "pk", "S"), " ", at(it, "sk", "S")) }
