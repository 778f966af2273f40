package keys

import "encoding/binary"

// expiryLen is the length of what stands before the item's key in an expiry entry's: kind, table, number, time.
const expiryLen = 1 + 8 + 2 + 8

// AppendExpiry appends the key of the entry by which an item, whose row's key is given, is found once it has expired. at is in
// seconds since 1970 and not negative.
func AppendExpiry(dst []byte, number uint16, at int64, row []byte) []byte {
	dst = append(append(dst, kindExpiry), row[1:1+8]...)
	dst = binary.BigEndian.AppendUint16(dst, number)
	dst = binary.BigEndian.AppendUint64(dst, uint64(at))
	return append(dst, row[spaceLen:]...)
}

// AppendExpiryRow appends the key of the row that the entry is of.
func AppendExpiryRow(dst, entry []byte) []byte {
	dst = AppendSpace(dst, binary.BigEndian.Uint64(entry[1:]), 0)
	return append(dst, entry[expiryLen:]...)
}

// ExpiryTime returns the time in an entry's key.
func ExpiryTime(entry []byte) int64 {
	return int64(binary.BigEndian.Uint64(entry[spaceLen:]))
}

// Expiry returns the range of the entries of a table with that number and with times from <= at < to.
func Expiry(table uint64, number uint16, from, to int64) (lo, hi []byte) {
	prefix := binary.BigEndian.AppendUint16(expiries(table), number)
	return binary.BigEndian.AppendUint64(prefix[:spaceLen:spaceLen], uint64(from)), binary.BigEndian.AppendUint64(prefix, uint64(to))
}

// Expiries returns the range of all entries of a table.
func Expiries(table uint64) (lo, hi []byte) {
	lo = expiries(table)
	return lo, Next(lo)
}

// NumberedExpiries returns the range of the entries of a table with that number.
func NumberedExpiries(table uint64, number uint16) (lo, hi []byte) {
	lo = binary.BigEndian.AppendUint16(expiries(table), number)
	return lo, Next(lo)
}

func expiries(table uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kindExpiry}, table)
}
