package keys

import "encoding/binary"

// AppendLog appends the key of the record at pos in a shard's log.
func AppendLog(dst []byte, shard, pos uint64) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, kindLog), shard)
	return binary.BigEndian.AppendUint64(dst, pos)
}

// LogPos returns the position in a log record's key.
func LogPos(key []byte) uint64 {
	return binary.BigEndian.Uint64(key[1+8:])
}

// Log returns the range of the records of a shard.
func Log(shard uint64) (lo, hi []byte) {
	lo = binary.BigEndian.AppendUint64([]byte{kindLog}, shard)
	return lo, Next(lo)
}

// LogHead returns the key of a shard's trim point.
func LogHead(shard uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kindLogHead}, shard)
}
