// Package query is the one range read path: which keys a query or a scan walks, and how a page of them is read, filtered and
// projected. A page is one view of the store; the next page resumes after the last key.
package query

import (
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// MaxPage is how many bytes of items, as DynamoDB counts them, one page reads: it ends with the item that reaches it.
const MaxPage = 1 << 20

// A Plan is a range to read and what to make of the items in it.
type Plan struct {
	Table *table.Definition
	Index *table.Index // nil: the table itself
	Range kv.Range

	Limit      int              // items to read at most; 0: no limit
	Filter     *expr.Condition  // nil: none
	Projection *expr.Projection // nil: everything that the table or index holds
	CountOnly  bool             // no items in the answer
	Fetch      bool             // read the items themselves from the table, for a local index that lacks attributes
	Entries    bool             // answer with the entries all the same: only the filter needs the items
	Single     bool             // the range holds one item at most, so nothing is left after it
	Arena      *attr.Arena      // empty; where the answer's items go, which end with its next Reset. nil: a new one
}

// space appends the prefix of everything that the plan's table or index holds.
func (p *Plan) space() []byte {
	return keys.AppendSpace(make([]byte, 0, 64), p.Table.Number, p.indexNumber())
}

func (p *Plan) indexNumber() uint16 {
	if p.Index == nil {
		return 0
	}
	return p.Index.Number
}

// Schema returns the key schema of what the plan reads.
func (p *Plan) Schema() *table.Schema {
	if p.Index == nil {
		return &p.Table.Schema
	}
	return &p.Index.Schema
}

// PlanScan makes p walk the whole table or index, or segment s of total if total is not 0.
func (p *Plan) PlanScan(s, total int) {
	if total == 0 {
		total = 1
	}
	p.Range.Lo, p.Range.Hi = keys.Segment(p.Table.Number, p.indexNumber(), s, total)
}

// StartAfter makes p resume after the item or entry with the given keys, those of the index and those of the table. It
// reports false, and leaves p as it is, if that is outside of p's range.
func (p *Plan) StartAfter(start attr.Item) bool {
	key, ok := p.position(start)
	if !ok || string(key) < string(p.Range.Lo) || p.Range.Hi != nil && string(key) >= string(p.Range.Hi) {
		return false
	}
	if p.Range.Reverse {
		p.Range.Hi = key
	} else {
		p.Range.Lo = append(key, 0)
	}
	return true
}

// IsStart reports whether the item has exactly the key attributes of what p reads, with values that fit: what StartAfter needs.
func (p *Plan) IsStart(start attr.Item) bool {
	_, fits := p.position(start)
	return fits && start.Len() == p.startLen()
}

// BeginsStart reports whether the item has as many attributes as a start key and, of the key attributes of what p reads, those up to
// the one named, with values that fit; all of them for a name that none has.
func (p *Plan) BeginsStart(start attr.Item, name string) bool {
	if start.Len() != p.startLen() {
		return false
	}
	s := p.Schema()
	for i, a := range s.All() {
		if !a.Fits(start.Get(a.Name), i >= len(s.Partition)) {
			return false
		}
		if a.Name == name {
			break
		}
	}
	return true
}

// startLen counts the attributes of a start key: the key attributes of the table and of the index that is read.
func (p *Plan) startLen() int {
	n := len(p.Table.Schema.Partition) + len(p.Table.Schema.Sort)
	if p.Index == nil {
		return n
	}
	for _, a := range p.Index.Schema.All() {
		if _, ok := p.Table.Schema.Find(a.Name); !ok {
			n++
		}
	}
	return n
}
