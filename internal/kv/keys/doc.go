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
//	0x0b  retired     table(8)                                                    definition of a deleted table whose log is kept
//	0x0c  logsize     shard(8)                                                    counter: bytes in a shard's log
//	0x0d  hold        table(8) name                                               how far a follower has read a table's log
//	0x0e  expiry      table(8) number(2) time(8) hash(2) partition sort           nothing: when an item expires
//
// Numbers are big-endian. hash is the first two bytes of the xxhash64, seed 0, of the partition part. The partition part is each
// partition attribute as uvarint length and bytes: only equality matters. In a table (index 0) the sort part is the sort
// attribute's bytes as they are, last in the key. In an index each sort attribute is escaped (00 as 00 FF) and terminated
// (00 01), and the table's key follows: partition attribute with its length, sort attribute raw.
// An attribute's bytes are a string's UTF-8, a binary's bytes, a number's order-preserving form (lib/decimal).
//
// An expiry entry ends as its item's row does. Its number is one of an index, so that entries made before a switch of time to
// live are told from those made after it; its time is in seconds since 1970.
//
// Accounts and regions hold no zero byte; names and tokens may hold any, as they come last.
package keys

// The kinds: the first byte of every key.
const (
	kindMeta       byte = 0x01
	kindDefinition byte = 0x02
	kindRow        byte = 0x03
	kindToken      byte = 0x05
	kindCounter    byte = 0x06
	kindJob        byte = 0x07
	kindLog        byte = 0x08
	kindLogHead    byte = 0x09
	kindSequence   byte = 0x0a
	kindRetired    byte = 0x0b
	kindLogSize    byte = 0x0c
	kindHold       byte = 0x0d
	kindExpiry     byte = 0x0e
)
