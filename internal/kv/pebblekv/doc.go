// Package pebblekv is the storage engine of one machine: kv.Engine on a Pebble store.
//
// # What excludes what
//
// An Update passes the doors of package latch. If its batch appends to a log, a last one follows: one mutex for all shards, under which
// positions are assigned and the batch is applied. Position order is therefore the order in the write-ahead log and the order of
// becoming visible.
//
// All of it is released as soon as the batch is visible, before it is durable: a hot key shares fsyncs too.
//
// # Visible is not durable
//
// Pebble shows a batch before its fsync, so each commit takes a number, and before it becomes visible writes that number into
// the marks of every key it changes (marks.go). The watermark knows the number up to which all commits are durable. Who has read
// a key, whatever it found, notes the key's mark after reading and before answering waits until the watermark has passed it.
// When nothing is in flight that costs two atomic loads.
//
// A commit relies on the fsync of its own record covering all records before it, which is how a write-ahead log works:
// so an update that succeeds need not wait for what it read.
//
// # What is read again and again
//
// Beside Pebble's cache of blocks stands one of values (values.go): it holds only what is durable and current, so who finds a value
// there has nothing to wait for. It is there because a measurement asked for it: Pebble takes 5 us of the 25 that a GetItem costs.
// By the same rule another (scans.go) keeps what scans within an item collection have found, if they are repeated.
//
// # What was not written lately
//
// Most writes are of new keys, and each must find out that its key is new. A filter (recent.go) knows which keys memtables may hold; look-ups of
// others do not walk down those, out of cold caches.
//
// # When the disk fails
//
// A failed write or fsync is not retried: what is on the disk is not known any more, and only recovery from the write-ahead log
// finds out. Config.Fatal is called, which ends the process. A block that is damaged when it is read is an error of that read alone.
package pebblekv
