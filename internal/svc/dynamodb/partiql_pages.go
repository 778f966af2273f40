package dynamodb

import (
	"cmp"
	"context"

	"github.com/grammedb/gramme/internal/db/capacity"
	"github.com/grammedb/gramme/internal/db/query"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// A selection is the reading of one answer to a SELECT.
type selection struct {
	plans  []query.Plan // what is still to be read
	merged bool         // all plans together in the order of the sort key, else one plan after the other
	limit  int          // items to read at most; 0: no limit
	mode   capacity.Mode

	items []attr.Item
	usage usage
	at    []position // where the answer ended; none if all was read
	last  attr.Item  // keys of the last item read, if the answer ended there
}

// A position is a place between the items of a plan: after those with the given keys, at the beginning where after is nil.
type position struct {
	plan  int
	after attr.Item
}

// resume puts the selection where an answer ended. It reports false if it can't have ended there.
func (sel *selection) resume(at []position) bool {
	for _, pos := range at {
		if pos.plan >= len(sel.plans) {
			return false
		}
		if p := &sel.plans[pos.plan]; pos.after != nil && !(p.IsStart(pos.after) && p.StartAfter(pos.after)) {
			return false
		}
	}
	sel.at = at
	return sel.merged || len(at) < 2
}

func (sel *selection) read(ctx context.Context, r *query.Reader) error {
	if sel.merged {
		return sel.merge(ctx, r)
	}
	return sel.readInTurn(ctx, r)
}

// readInTurn reads plan after plan until an answer's share is full.
func (sel *selection) readInTurn(ctx context.Context, r *query.Reader) error {
	first, scanned, size := 0, 0, 0
	if len(sel.at) > 0 {
		first, sel.at = sel.at[0].plan, nil
	}
	for i := first; i < len(sel.plans); i++ {
		p := &sel.plans[i]
		if sel.limit > 0 {
			p.Limit = sel.limit - scanned
		}
		pg, err := r.Page(ctx, p)
		if err != nil {
			return err
		}
		sel.items = append(sel.items, pg.Items...)
		sel.usage.addPage(p, pg, sel.mode)
		scanned += pg.Scanned
		size += pg.Bytes
		switch {
		case pg.Last != nil:
			sel.at, sel.last = []position{{i, pg.Last}}, pg.Last
			return nil
		case i+1 < len(sel.plans) && (scanned == sel.limit || size >= query.MaxPage):
			sel.at = []position{{i + 1, nil}}
			return nil
		}
	}
	return nil
}

// merge reads the first item of each plan, takes the one that comes first, reads the next of its plan, and so on.
func (sel *selection) merge(ctx context.Context, r *query.Reader) error {
	heads := make([]*query.Page, len(sel.plans))
	taken := make([]query.Page, len(sel.plans))
	after := make([]attr.Item, len(sel.plans))
	for _, pos := range sel.at {
		after[pos.plan] = pos.after
	}
	for i := range sel.plans {
		var err error
		sel.plans[i].Single = false // what is read is to be known by its keys, although nothing comes after it
		if heads[i], err = sel.head(ctx, r, i); err != nil {
			return err
		}
	}
	next := sel.least(heads)
	for scanned, size := 0, 0; next >= 0 && (sel.limit == 0 || scanned < sel.limit) && size < query.MaxPage; scanned++ {
		head := heads[next]
		sel.items = append(sel.items, head.Items...)
		size += head.Bytes
		taken[next].Bytes += head.Bytes
		taken[next].Fetched = append(taken[next].Fetched, head.Fetched...)
		after[next], sel.last = head.Last, head.Last
		sel.plans[next].StartAfter(head.Last)
		var err error
		if heads[next], err = sel.head(ctx, r, next); err != nil {
			return err
		}
		next = sel.least(heads)
	}
	for i := range taken {
		sel.usage.addPage(&sel.plans[i], &taken[i], sel.mode)
	}
	sel.settle(after, next < 0)
	return nil
}

// head reads one item of a plan.
func (sel *selection) head(ctx context.Context, r *query.Reader, i int) (*query.Page, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	sel.plans[i].Limit = 1
	return r.Page(ctx, &sel.plans[i])
}

// least returns the plan whose head comes first, -1 if there is none left. Of equal ones it is the first.
func (sel *selection) least(heads []*query.Page) int {
	best := -1
	for i, h := range heads {
		if h.Scanned > 0 && (best < 0 || sel.compare(h.Last, heads[best].Last) < 0) {
			best = i
		}
	}
	return best
}

// compare orders items by their sort keys in the direction in which the plans go.
func (sel *selection) compare(a, b attr.Item) int {
	p := &sel.plans[0]
	order := compareSortKeys(p.Schema(), a, b)
	if p.Range.Reverse {
		return -order
	}
	return order
}

func compareSortKeys(s *table.Schema, a, b attr.Item) int {
	order := 0
	for _, key := range s.Sort {
		c, _ := attr.Compare(a.Get(key.Name), b.Get(key.Name))
		order = cmp.Or(order, c)
	}
	return order
}

// settle notes where a merge ended: after which item of each plan.
func (sel *selection) settle(after []attr.Item, done bool) {
	sel.at = nil
	if done {
		sel.last = nil
		return
	}
	for i, keys := range after {
		if keys != nil {
			sel.at = append(sel.at, position{i, keys})
		}
	}
}
