// Package keys builds every key that is stored. No other package knows a layout.
//
// # The map
//
//	kind  name        key                                                         value
//	0x01  meta        name                                                        facts about the store itself
//	0x02  definition  account 00 region 00 name                                   table definition
//	0x03  row         table(8) index(2) hash(2) partition sort                    stored item
//	0x04  tombstone   table(8) hash(2) partition sort                             (reserved: deletes on replicated tables)
//	0x05  token       account 00 region 00 token                                  outcome of a transaction
//	0x06  counter     table(8) index(2) what(1) [partition]                       counter
//	0x07  job         name                                                        state of a background job
//	0x08  log         shard(8) pos(8)                                             change record (the engine's own)
//	0x09  loghead     shard(8)                                                    trim point (the engine's own)
//	0x0a  sequence    name                                                        last number handed out
//
// Numbers are big-endian. hash is the first two bytes of the xxhash64, seed 0, of the partition part. The partition part is each
// partition attribute as uvarint length and bytes: only equality matters. In a table (index 0) the sort part is the sort
// attribute's bytes as they are, last in the key. In an index each sort attribute is escaped (00 as 00 FF) and terminated
// (00 01), and the table's key follows: partition attribute with its length, sort attribute raw.
// An attribute's bytes are a string's UTF-8, a binary's bytes, a number's order-preserving form (lib/decimal).
package keys

// AppendSpace appends the prefix of all rows of a table (index 0) or of one of its indexes.
func AppendSpace(dst []byte, table uint64, index uint16) []byte { panic("not built") }

// AppendTable appends the prefix of all rows of a table and its indexes.
func AppendTable(dst []byte, table uint64) []byte { panic("not built") }

// AppendPartition appends hash and partition part to a space: the prefix of an item collection.
func AppendPartition(dst []byte, attrs ...[]byte) []byte { panic("not built") }

// AppendSort appends one sort attribute of an index, escaped and terminated.
func AppendSort(dst, b []byte) []byte { panic("not built") }

// AppendSortPrefix appends the beginning of a sort attribute of an index: what all keys that begin with b begin with.
func AppendSortPrefix(dst, b []byte) []byte { panic("not built") }

// AppendTableKey appends the table's key as it ends an index entry's key. sk is nil where the table has no sort key.
func AppendTableKey(dst, pk, sk []byte) []byte { panic("not built") }

// Segment returns the range of the rows of a table or index that segment s of total holds: those with hash*total>>16 == s.
func Segment(table uint64, index uint16, s, total int) (lo, hi []byte) { panic("not built") }

// Hash returns the hash in a row's key.
func Hash(row []byte) uint16 { panic("not built") }

// Next returns the first key after all keys that begin with prefix; nil if there is none.
func Next(prefix []byte) []byte { panic("not built") }

// Definition returns the key of a table's definition.
func Definition(account, region, name string) []byte { panic("not built") }

// Definitions returns the range of all definitions.
func Definitions() (lo, hi []byte) { panic("not built") }

// Token returns the key of a client token's record.
func Token(account, region, token string) []byte { panic("not built") }

// Tokens returns the range of all token records.
func Tokens() (lo, hi []byte) { panic("not built") }

// What a counter counts.
const (
	Items      byte = 1 // items of a table or entries of an index
	Bytes      byte = 2 // their size
	Collection byte = 3 // bytes of one item collection with its LSI entries, index 0
)

// AppendCounter appends the key of a counter. attrs are the partition attributes for Collection, else none.
func AppendCounter(dst []byte, table uint64, index uint16, what byte, attrs ...[]byte) []byte {
	panic("not built")
}

// Counters returns the range of a table's counters.
func Counters(table uint64) (lo, hi []byte) { panic("not built") }

// Job returns the key of a job's state.
func Job(name string) []byte { panic("not built") }

// Jobs returns the range of all jobs whose names begin with prefix.
func Jobs(prefix string) (lo, hi []byte) { panic("not built") }

// Sequence returns the key of a sequence.
func Sequence(name string) []byte { panic("not built") }
