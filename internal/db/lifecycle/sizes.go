package lifecycle

import (
	"context"

	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
)

// A Size is how many items a table has, or entries an index, and their bytes.
type Size struct{ Items, Bytes int64 }

// Sizes returns the sizes of a table and of its indexes, by the numbers of the indexes; the table's own is 0. An index that is
// being filled has no size yet.
func (m *Manager) Sizes(ctx context.Context, d *table.Definition) (sizes map[uint16]Size, err error) {
	view, err := m.engine.View(ctx, kv.ViewOpts{})
	if err != nil {
		return nil, err
	}
	defer closing(view, &err)
	sizes = map[uint16]Size{}
	if sizes[0], err = readSize(view, d.Number, 0); err != nil {
		return nil, err
	}
	for i := range d.Indexes {
		ix := &d.Indexes[i]
		if ix.Status == table.Creating {
			continue
		}
		if sizes[ix.Number], err = readSize(view, d.Number, ix.Number); err != nil {
			return nil, err
		}
	}
	return sizes, nil
}

func readSize(view kv.View, number uint64, index uint16) (Size, error) {
	items, bytes := counters(number, index)
	vals := make([][]byte, 2)
	err := view.MultiGet([][]byte{items, bytes}, vals)
	return Size{kv.Counter(vals[0]), kv.Counter(vals[1])}, err
}
