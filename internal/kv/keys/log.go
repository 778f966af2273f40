package keys

import "encoding/binary"

// LogLen is how long the key of a log record is.
const LogLen = 1 + 8 + 8

// AppendLog appends the key of the record at pos in a shard's log.
func AppendLog(dst []byte, shard, pos uint64) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, kindLog), shard)
	return binary.BigEndian.AppendUint64(dst, pos)
}

// LogPos returns the position in a log record's key.
func LogPos(key []byte) uint64 {
	return binary.BigEndian.Uint64(key[1+8:])
}

// LogShard returns the shard in a log record's key.
func LogShard(key []byte) uint64 { return binary.BigEndian.Uint64(key[1:]) }

// Logs returns the range of the records of all shards.
func Logs() (lo, hi []byte) { return all(kindLog, "") }

// Log returns the range of the records of a shard.
func Log(shard uint64) (lo, hi []byte) {
	lo = binary.BigEndian.AppendUint64([]byte{kindLog}, shard)
	return lo, Next(lo)
}

// LogHead returns the key of a shard's trim point.
func LogHead(shard uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kindLogHead}, shard)
}

// LogSize returns the key of the counter of a shard's bytes.
func LogSize(shard uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kindLogSize}, shard)
}

// Hold returns the key of a follower's place in a table's log.
func Hold(table uint64, name string) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{kindHold}, table), name...)
}

// Retired returns the key of the definition of a deleted table.
func Retired(table uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kindRetired}, table)
}

// AllRetired returns the range of all definitions of deleted tables.
func AllRetired() (lo, hi []byte) { return all(kindRetired, "") }
