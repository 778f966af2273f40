package keys

import (
	"encoding/binary"
)

// Definition returns the key of a table's definition.
func Definition(account, region, name string) []byte {
	return scoped(kindDefinition, account, region, name)
}

// Definitions returns the range of all definitions.
func Definitions() (lo, hi []byte) { return all(kindDefinition, "") }

// Token returns the key of a client token's record.
func Token(account, region, token string) []byte {
	return scoped(kindToken, account, region, token)
}

// Tokens returns the range of all token records.
func Tokens() (lo, hi []byte) { return all(kindToken, "") }

// What a counter counts.
const (
	Items      byte = 1 // items of a table or entries of an index
	Bytes      byte = 2 // their size
	Collection byte = 3 // bytes of one item collection with its LSI entries, index 0
)

// CounterLen is the length of the key of a counter without attributes.
const CounterLen = 1 + 8 + 2 + 1

// AppendCounter appends the key of a counter. attrs are the partition attributes for Collection, else none.
func AppendCounter(dst []byte, table uint64, index uint16, what byte, attrs ...[]byte) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, kindCounter), table)
	dst = append(binary.BigEndian.AppendUint16(dst, index), what)
	for _, a := range attrs {
		dst = appendSized(dst, a)
	}
	return dst
}

// Counters returns the range of a table's counters.
func Counters(table uint64) (lo, hi []byte) {
	lo = binary.BigEndian.AppendUint64([]byte{kindCounter}, table)
	return lo, Next(lo)
}

// Job returns the key of a job's state.
func Job(name string) []byte { return named(kindJob, name) }

// Jobs returns the range of all jobs whose names begin with prefix.
func Jobs(prefix string) (lo, hi []byte) { return all(kindJob, prefix) }

// Meta returns the key of a fact about the store.
func Meta(name string) []byte { return named(kindMeta, name) }

// Sequence returns the key of a sequence.
func Sequence(name string) []byte { return named(kindSequence, name) }

// named returns the key of something that its name alone identifies.
func named(kind byte, name string) []byte {
	return append(append(make([]byte, 0, 1+len(name)), kind), name...)
}

// scoped returns the key of something that belongs to an account and a region.
func scoped(kind byte, account, region, name string) []byte {
	k := make([]byte, 0, 3+len(account)+len(region)+len(name))
	k = append(append(k, kind), account...)
	k = append(append(k, 0), region...)
	return append(append(k, 0), name...)
}

// all returns the range of the keys of a kind whose names begin with prefix.
func all(kind byte, prefix string) (lo, hi []byte) {
	lo = named(kind, prefix)
	return lo, Next(lo)
}
