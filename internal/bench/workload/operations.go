package workload

// The sizes of batches and pages.
const (
	BatchWriteItems = 25
	batchGetItems   = 100
	transactItems   = 4
	indexPage       = 20
)

// Operations lists all operations.
func Operations() []*Operation {
	return []*Operation{
		{Name: "get", Target: "GetItem", About: "GetItem", Body: get, Check: checkGet},
		{Name: "put", Target: "PutItem", About: "PutItem, every one a new key", Body: put},
		{Name: "insert", Target: "PutItem", About: "PutItem behind the items there are, to be read by later requests", Body: insert,
			Ended: func(g *Generator, c *Cursor) { g.cfg.Inserted.Done(c.key) }},
		{Name: "update", Target: "UpdateItem", About: "UpdateItem with SET, ADD and a condition", Body: update},
		{Name: "rmw", Target: "GetItem", About: "read, modify, write: GetItem, then UpdateItem with what follows from it", Body: get,
			Check: checkGet, Answered: readCounter,
			Then: &Operation{Target: "UpdateItem", Body: writeCounter}},
		{Name: "query", Target: "Query", About: "Query of one partition, all of it: 20 items", Body: query, Answered: askedItems, Check: checkQuery},
		{Name: "range", Target: "Query", About: "Query from a sort key on, of 1 to 100 items in one partition", Body: queryRange,
			Answered: countItems, Check: checkRange},
		{Name: "gsi", Target: "Query", About: "Query of an index, descending, 20 items", Body: queryIndex,
			Answered: askedItems, Check: checkIndex, Indexed: true},
		{Name: "gsiput", Target: "PutItem", About: "PutItem of a new key into the table with the index", Body: putIndexed, Indexed: true},
		{Name: "batchget", Target: "BatchGetItem", About: "BatchGetItem of 100 items", Body: batchGet,
			Answered: fixedItems(batchGetItems), Check: checkBatchGet},
		{Name: "batchwrite", Target: "BatchWriteItem", About: "BatchWriteItem of 25 new items", Body: batchWrite,
			Answered: fixedItems(BatchWriteItems)},
		{Name: "txwrite", Target: "TransactWriteItems", About: "TransactWriteItems of 4: two Put, an Update, a ConditionCheck",
			Body: transactWrite, Answered: fixedItems(transactItems)},
		{Name: "scan", Target: "Scan", About: "Scan of the whole table with a filter that 1 % pass; each connection has its segment",
			Body: scan, Answered: scanned, Check: checkScan, Dynamic: true},
		{Name: "scanfrom", Target: "Scan", About: "Scan from an item on, of 1 to 100 items", Body: scanFrom,
			Answered: countItems, Check: checkScanFrom},
		{Name: "list", Target: "ListTables", About: "ListTables", Body: func(_ *Generator, _ *Cursor, b []byte) []byte { return append(b, "{}"...) }},
	}
}

// FindOperation returns the operation of a name, nil if there is none.
func FindOperation(name string) *Operation {
	for _, o := range Operations() {
		if o.Name == name {
			return o
		}
	}
	return nil
}
