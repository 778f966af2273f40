package index

import (
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// AppendExpiry appends the key of the entry by which the item is found once its time to live is over. ok is false if it has none.
// REQUIRES: the table's entries have a number.
func AppendExpiry(dst []byte, d *table.Definition, rowKey []byte, it attr.Item) (key []byte, ok bool) {
	at, ok := d.TTL.Expiry(it)
	if !ok {
		return dst, false
	}
	return keys.AppendExpiry(dst, d.TTL.Entries, at, rowKey), true
}
