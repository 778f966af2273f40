package kinesis

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/grammedb/gramme/internal/db/changelog"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lib/jsontok"
)

// A source makes records of the changes of one table.
type source struct {
	table     *table.Definition
	id        uuid.UUID // of the table
	precision string
}

func newSource(d *table.Definition, precision string) source {
	id, err := uuid.Parse(d.ID)
	if err != nil { // of a table that has no ID of this form any number does that is its own
		id = uuid.NewSHA1(uuid.Nil, []byte(d.ARN()))
	}
	return source{table: d, id: id, precision: precision}
}

// appendRecord appends the data of the record of a change: JSON with both images. The key is that of the changed item.
func (s *source) appendRecord(dst []byte, shard uint64, e *changelog.Entry, key table.Key) []byte {
	keyItem := s.table.KeyItem(key)
	dst = append(dst, `{"awsRegion":`...)
	dst = jsontok.AppendString(dst, s.table.Region)
	dst = append(dst, `,"eventID":"`...)
	dst = append(dst, s.eventID(shard, e)...)
	dst = append(dst, `","eventName":"`...)
	dst = append(dst, e.Event()...)
	dst = append(dst, `","userIdentity":`...)
	if e.User == nil {
		dst = append(dst, `null`...)
	} else {
		dst = jsontok.AppendString(append(dst, `{"type":`...), e.User.Type)
		dst = jsontok.AppendString(append(dst, `,"principalId":`...), e.User.Principal)
		dst = append(dst, '}')
	}
	dst = append(dst, `,"recordFormat":"application/json","tableName":`...)
	dst = jsontok.AppendString(dst, s.table.Name)
	dst = append(dst, `,"dynamodb":{"ApproximateCreationDateTime":`...)
	dst = strconv.AppendInt(dst, s.creation(e), 10)
	dst = appendImage(dst, "Keys", keyItem)
	dst = appendImage(dst, "NewImage", e.New)
	dst = appendImage(dst, "OldImage", e.Old)
	dst = append(dst, `,"SizeBytes":`...)
	dst = strconv.AppendInt(dst, int64(keyItem.Size()+e.NewSize+e.OldSize), 10)
	dst = append(dst, `,"ApproximateCreationDateTimePrecision":"`...)
	dst = append(dst, orMillisecond(s.precision)...)
	return append(dst, `"},"eventSource":"aws:dynamodb"}`...)
}

// creation returns the time of a change in the destination's precision.
func (s *source) creation(e *changelog.Entry) int64 {
	if s.precision == Microsecond {
		return e.Stamp.At().UnixMicro()
	}
	return e.Stamp.At().UnixMilli()
}

// eventID returns what tells a change from every other one, the same however often the change is sent.
func (s *source) eventID(shard uint64, e *changelog.Entry) string {
	place := binary.BigEndian.AppendUint64(nil, shard)
	return uuid.NewSHA1(s.id, binary.BigEndian.AppendUint64(place, uint64(e.Pos))).String()
}

func appendImage(dst []byte, name string, it attr.Item) []byte {
	if it == nil {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	return twice(it).AppendJSON(dst)
}

// twice returns the item with the base64 text of each binary value in its place. JSON encodes it once more: consumers of the service's
// records decode binary values twice (DynamoDB developer guide: change data capture).
func twice(it attr.Item) attr.Item {
	var changes []attr.Field
	for name, v := range it.All() {
		if hasBinary(v) {
			changes = append(changes, attr.Field{Name: string(name), Value: valueTwice(v)})
		}
	}
	if changes == nil {
		return it
	}
	return it.Merge(changes)
}

func valueTwice(v attr.Value) attr.Value {
	switch v.Type() {
	case attr.B:
		return attr.Binary([]byte(base64.StdEncoding.EncodeToString(v.Bytes())))
	case attr.BS, attr.L:
		var elems []attr.Value
		for e := range v.Elems() {
			elems = append(elems, valueTwice(e))
		}
		if v.Type() == attr.L {
			return attr.List(elems...)
		}
		set, _ := attr.Set(attr.BS, elems...) // different members have different texts
		return set
	case attr.M:
		return attr.Map(twice(v.Item()))
	}
	return v
}

func hasBinary(v attr.Value) bool {
	switch v.Type() {
	case attr.B, attr.BS:
		return true
	case attr.L:
		for e := range v.Elems() {
			if hasBinary(e) {
				return true
			}
		}
	case attr.M:
		for _, e := range v.Item().All() {
			if hasBinary(e) {
				return true
			}
		}
	}
	return false
}

// partitionKey returns under which key a record is put: one for all items that have their partition key in common, which so stay together
// in a shard of the stream.
func partitionKey(key table.Key) string {
	sum := sha256.Sum256(key.Partition)
	return strings.ToUpper(hex.EncodeToString(sum[:16]))
}
