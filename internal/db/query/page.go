package query

import (
	"context"
	"fmt"

	"github.com/grammedb/gramme/internal/db/capacity"
	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// A Reader reads pages.
type Reader struct {
	engine  kv.Engine
	catalog *table.Catalog
}

// NewReader returns a reader of the engine's items.
func NewReader(e kv.Engine, c *table.Catalog) *Reader { return &Reader{e, c} }

// An IndexGoneError says that the index that was to be read has been dropped.
type IndexGoneError struct{ Index string }

func (e *IndexGoneError) Error() string { return "query: index " + e.Index + " was dropped" }

// A Page is what one Query or Scan answers.
type Page struct {
	Items   []attr.Item
	Count   int       // items that passed the filter
	Scanned int       // items read
	Bytes   int       // their size as DynamoDB counts it; of the entries where an index was read
	Fetched []int     // sizes of the items that had to be fetched from the table
	Last    attr.Item // keys of the last item read, where the page ended before the range did; else nil
}

// Page reads one page of the plan. It fails with store.ErrTableGone or an *IndexGoneError.
func (r *Reader) Page(ctx context.Context, p *Plan) (_ *Page, err error) {
	view, err := r.engine.View(ctx, kv.ViewOpts{Pinned: p.Fetch})
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := view.Close(); err == nil {
			err = cerr
		}
	}()
	pg := &pager{plan: p, view: view, most: p.mostItems(), arena: p.Arena}
	wanted := p.Range
	wanted.Most = pg.most
	it, err := view.Scan(wanted)
	if err != nil {
		return nil, err
	}
	if pg.arena == nil {
		pg.arena = new(attr.Arena)
	}
	if err = r.held(p); err == nil {
		err = pg.read(ctx, it)
	}
	if cerr := it.Close(); err == nil {
		err = cerr
	}
	if !p.CountOnly {
		pg.Items = pg.arena.Items()
	}
	return &pg.Page, err
}

// held reports what has been dropped since p was planned. An iterator that was opened before does not show all of it.
func (r *Reader) held(p *Plan) error {
	switch {
	case r.catalog.Holds(p.Table, p.Index):
		return nil
	case r.catalog.Holds(p.Table, nil):
		return &IndexGoneError{p.Index.Name}
	}
	return store.ErrTableGone
}

// A pager fills a page.
type pager struct {
	Page
	plan    *Plan
	view    kv.View
	most    int // items to read; 0: no limit
	fetched int // sum of Fetched, each as it is charged
	arena   *attr.Arena
}

func (pg *pager) read(ctx context.Context, it kv.Iterator) error {
	p := pg.plan
	for it.Next() {
		stored, err := row.Decode(it.Value())
		if err != nil {
			return err
		}
		pg.Scanned++
		pg.Bytes += stored.Size
		item := stored.Item
		if p.Fetch {
			if item, err = pg.fetch(stored.Item); err != nil {
				return err
			}
		}
		pg.take(stored.Item, item)
		if pg.full() {
			pg.Last = p.keysOf(stored.Item)
			return nil
		}
		if pg.Scanned%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// full reports whether the page ends here. What had to be fetched counts as it is charged.
func (pg *pager) full() bool {
	size := pg.Bytes
	if pg.plan.Fetch {
		size = capacity.Round(size) + pg.fetched
	}
	return !pg.plan.Single && (pg.Scanned == pg.most || size >= MaxPage)
}

// maxWork is how many steps (see expr.Condition.Work) the filter may take over one page: some tenths of a second.
const maxWork = 1 << 25

// mostItems is how many items one page reads at most, 0 for any number: as many as asked for, or fewer where a filter with very
// large values would go through them again for each of very many small items.
func (p *Plan) mostItems() int {
	if p.Filter == nil {
		return p.Limit
	}
	most := max(1, maxWork/p.Filter.Work())
	if p.Limit > 0 {
		most = min(most, p.Limit)
	}
	return most
}

// fetch reads the whole item that an entry of a local index stands for.
func (pg *pager) fetch(entry attr.Item) (attr.Item, error) {
	k, err := pg.plan.Table.KeyOf(entry)
	if err != nil {
		return nil, err
	}
	val, err := pg.view.Get(pg.plan.Table.AppendRowKey(nil, k))
	if err != nil {
		return nil, err
	}
	stored, err := row.Decode(val)
	if err == nil && stored.Item == nil {
		err = fmt.Errorf("index entry without an item: %w", kv.ErrCorrupt)
	}
	pg.Fetched = append(pg.Fetched, stored.Size)
	pg.fetched += capacity.Round(stored.Size)
	return stored.Item, err
}

// take adds an item to the page if the filter lets it. entry is what was read, it is the item itself if that was fetched.
func (pg *pager) take(entry, it attr.Item) {
	p := pg.plan
	if p.Filter != nil && !p.Filter.Eval(it) {
		return
	}
	pg.Count++
	if p.CountOnly {
		return
	}
	if p.Entries {
		it = entry
	}
	room := pg.arena.Begin(len(it), p.more())
	if p.Projection != nil {
		pg.arena.End(p.Projection.AppendTo(room, it))
	} else {
		pg.arena.End(append(room, it...))
	}
}

// more guesses how many items follow the first.
func (p *Plan) more() int {
	switch {
	case p.Single:
		return 0
	case p.Limit > 0:
		return min(p.Limit, 32) - 1
	}
	return 31
}

// keysOf returns the keys of an item or entry, those of the index and those of the table: the place to resume after.
func (p *Plan) keysOf(it attr.Item) attr.Item {
	keys := make(attr.Item, 0, 128)
	for name, one := range it.Split() {
		_, ok := p.Table.Schema.Find(string(name))
		if !ok && p.Index != nil {
			_, ok = p.Index.Schema.Find(string(name))
		}
		if ok {
			keys = append(keys, one...)
		}
	}
	return keys
}
