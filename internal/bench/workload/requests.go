package workload

import "strconv"

func put(g *Generator, _ *Cursor, b []byte) []byte {
	b = append(g.appendTable(b), `,"Item":`...)
	b = g.cfg.appendItem(b, freshKey, g.freshKey())
	return append(b, '}')
}

func putIndexed(g *Generator, _ *Cursor, b []byte) []byte {
	b = append(b, `{"TableName":"`...)
	b = append(b, g.cfg.IndexTable...)
	b = append(b, `","Item":`...)
	b = g.cfg.appendItem(b, freshKey, g.freshKey())
	return append(b, '}')
}

func insert(g *Generator, c *Cursor, b []byte) []byte {
	c.key = g.cfg.Inserted.Next()
	b = append(g.appendTable(b), `,"Item":`...)
	b = g.cfg.appendItem(b, preparedKey, c.key)
	return append(b, '}')
}

func get(g *Generator, c *Cursor, b []byte) []byte {
	c.key = g.key()
	b = append(g.appendTable(b), `,"Key":{`...)
	b = g.cfg.appendKey(b, preparedKey, c.key)
	if g.cfg.Consistent {
		return append(b, `},"ConsistentRead":true}`...)
	}
	return append(b, `},"ConsistentRead":false}`...)
}

func update(g *Generator, _ *Cursor, b []byte) []byte {
	return append(g.appendUpdate(g.appendTable(b), g.key()), '}')
}

// appendUpdate appends the members of an UpdateItem of item i, and of an Update in a transaction.
func (g *Generator) appendUpdate(b []byte, i uint64) []byte {
	b = append(b, `,"Key":{`...)
	b = g.cfg.appendKey(b, preparedKey, i)
	b = append(b, `},"UpdateExpression":"SET #s = :s ADD #c :one","ConditionExpression":"attribute_exists(#k)","ExpressionAttributeNames":{"#s":"status","#c":"counter","#k":"pk"},"ExpressionAttributeValues":{":s":{"S":"`...)
	b = append(b, statuses[g.rng.Below(5)]...)
	return append(b, `"},":one":{"N":"1"}}`...)
}

// readCounter keeps the counter of the item that was read.
func readCounter(c *Cursor, body []byte) uint64 {
	c.counter, _ = strconv.ParseUint(string(attributeNumber(body, `"counter"`)), 10, 64)
	return 1
}

// writeCounter writes one more than what readCounter has read.
func writeCounter(g *Generator, c *Cursor, b []byte) []byte {
	b = append(g.appendTable(b), `,"Key":{`...)
	b = g.cfg.appendKey(b, preparedKey, c.key)
	b = append(b, `},"UpdateExpression":"SET #s = :s, #c = :c","ExpressionAttributeNames":{"#s":"status","#c":"counter"},"ExpressionAttributeValues":{":s":{"S":"`...)
	b = append(b, statuses[g.rng.Below(5)]...)
	b = append(b, `"},":c":{"N":"`...)
	b = strconv.AppendUint(b, c.counter+1, 10)
	return append(b, `"}}}`...)
}

// consistent appends the wish for a consistent read, if there is one.
func (g *Generator) consistent(b []byte) []byte {
	if g.cfg.Consistent {
		b = append(b, `,"ConsistentRead":true`...)
	}
	return b
}

func query(g *Generator, c *Cursor, b []byte) []byte {
	c.key, c.asked = g.key(), int(g.cfg.PerPartition)
	b = append(g.appendTable(b), `,"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":`...)
	b = g.cfg.appendPartition(b, c.key)
	return append(g.consistent(append(b, "}}"...)), '}')
}

// longestRange is YCSB's longest scan.
const longestRange = 100

func queryRange(g *Generator, c *Cursor, b []byte) []byte {
	c.key, c.asked = g.key(), 1+int(g.rng.Below(longestRange))
	b = append(g.appendTable(b), `,"KeyConditionExpression":"pk = :p AND sk >= :s","ExpressionAttributeValues":{":p":{"S":`...)
	b = g.cfg.appendPartition(b, c.key)
	b = append(b, `},":s":{"N":"`...)
	b = strconv.AppendUint(b, c.key%g.cfg.PerPartition, 10)
	b = append(b, `"}},"Limit":`...)
	b = strconv.AppendInt(b, int64(c.asked), 10)
	return append(g.consistent(b), '}')
}

func queryIndex(g *Generator, c *Cursor, b []byte) []byte {
	c.key, c.asked = g.rng.Below(max(1, g.cfg.IndexItems/perExperiment))*perExperiment, indexPage
	b = append(b, `{"TableName":"`...)
	b = append(b, g.cfg.IndexTable...)
	b = append(b, `","IndexName":"`+IndexName+`","KeyConditionExpression":"experiment_id = :e","ExpressionAttributeValues":{":e":{"S":`...)
	b = appendExperiment(b, c.key/perExperiment%100000)
	return append(b, `}},"ScanIndexForward":false,"Limit":20}`...)
}

func batchWrite(g *Generator, _ *Cursor, b []byte) []byte {
	b = append(b, `{"RequestItems":{"`...)
	b = append(b, g.cfg.Table...)
	b = append(b, `":[`...)
	for range BatchWriteItems {
		b = append(b, `{"PutRequest":{"Item":`...)
		b = g.cfg.appendItem(b, freshKey, g.freshKey())
		b = append(b, "}},"...)
	}
	return append(b[:len(b)-1], "]}}"...)
}

// AppendLoad appends the BatchWriteItem that writes items from..to-1 to a table, BatchWriteItems of them at most.
func (c *Config) AppendLoad(b []byte, table string, from, to uint64) []byte {
	b = append(b, `{"RequestItems":{"`...)
	b = append(b, table...)
	b = append(b, `":[`...)
	for i := from; i < to; i++ {
		b = append(b, `{"PutRequest":{"Item":`...)
		b = c.appendItem(b, preparedKey, i)
		b = append(b, "}},"...)
	}
	return append(b[:len(b)-1], "]}}"...)
}

func batchGet(g *Generator, c *Cursor, b []byte) []byte {
	b = append(b, `{"RequestItems":{"`...)
	b = append(b, g.cfg.Table...)
	b = append(b, `":{"Keys":[`...)
	// A stride under N/100 gives 100 different keys from any start.
	n := g.cfg.Items
	start, stride := g.rng.Below(n), max(1, n/128)
	for i := range uint64(batchGetItems) {
		b = append(b, '{')
		b = g.cfg.appendKey(b, preparedKey, (start+i*stride)%n)
		b = append(b, "},"...)
	}
	c.asked = batchGetItems
	return append(g.consistent(append(b[:len(b)-1], ']')), "}}}"...)
}

func transactWrite(g *Generator, _ *Cursor, b []byte) []byte {
	b = append(b, `{"TransactItems":[`...)
	for range 2 {
		b = append(g.appendTable(append(b, `{"Put":`...)), `,"Item":`...)
		b = g.cfg.appendItem(b, freshKey, g.freshKey())
		b = append(b, "}},"...)
	}
	updated, checked := g.key(), g.key()
	if checked == updated { // a transaction names an item once
		checked = (updated + 1) % g.cfg.Items
	}
	b = g.appendUpdate(g.appendTable(append(b, `{"Update":`...)), updated)
	b = append(g.appendTable(append(b, `}},{"ConditionCheck":`...)), `,"Key":{`...)
	b = g.cfg.appendKey(b, preparedKey, checked)
	return append(b, `},"ConditionExpression":"attribute_exists(pk)"}}]}`...)
}

func scan(g *Generator, c *Cursor, b []byte) []byte {
	b = append(g.appendTable(b), `,"FilterExpression":"#m.accuracy > :a","ExpressionAttributeNames":{"#m":"metrics"},"ExpressionAttributeValues":{":a":{"N":"0.99"}}`...)
	if g.cfg.Segments > 1 {
		b = append(b, `,"TotalSegments":`...)
		b = strconv.AppendInt(b, int64(g.cfg.Segments), 10)
		b = append(b, `,"Segment":`...)
		b = strconv.AppendInt(b, int64(c.Segment), 10)
	}
	if len(c.startKey) > 0 {
		b = append(b, `,"ExclusiveStartKey":`...)
		b = append(b, c.startKey...)
	}
	return append(g.consistent(b), '}')
}

// scanned counts what a page has looked at, and keeps where the next begins.
func scanned(c *Cursor, body []byte) uint64 {
	c.startKey = append(c.startKey[:0], object(body, `"LastEvaluatedKey"`)...)
	if len(c.startKey) == 0 {
		c.Scans++
	}
	return number(body, `"ScannedCount"`)
}

func scanFrom(g *Generator, c *Cursor, b []byte) []byte {
	c.key, c.asked = g.key(), 1+int(g.rng.Below(longestRange))
	b = append(g.appendTable(b), `,"ExclusiveStartKey":{`...)
	b = g.cfg.appendKey(b, preparedKey, c.key)
	b = append(b, `},"Limit":`...)
	b = strconv.AppendInt(b, int64(c.asked), 10)
	return append(g.consistent(b), '}')
}

func countItems(_ *Cursor, body []byte) uint64 { return number(body, `"Count"`) }

// askedItems saves the search for a count that is known.
func askedItems(c *Cursor, _ []byte) uint64 { return uint64(c.asked) }
