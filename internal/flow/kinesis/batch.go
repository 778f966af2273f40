package kinesis

import (
	"encoding/base64"

	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/lib/jsontok"
)

// What PutRecords takes (Kinesis API reference: PutRecords). Partition keys count.
const (
	maxRecords     = 500
	maxRecordBytes = 1 << 20
	maxBatchBytes  = 5 << 20
)

// A batch is the input of one PutRecords, written as the records come.
type batch struct {
	stream    string
	text      []byte
	bytes     int      // of data and partition keys
	positions []kv.Pos // of the records, in order
}

func newBatch(stream string) *batch { return &batch{stream: stream} }

// reset empties the batch and keeps its memory.
func (b *batch) reset() {
	b.text = append(appendStream(append(b.text[:0], '{'), b.stream), `,"Records":[`...)
	b.bytes, b.positions = 0, b.positions[:0]
}

// appendStream appends the members that name a stream. Old emulators know only the name, and only the ARN tells whose it is.
func appendStream(dst []byte, arn string) []byte {
	_, name, _ := regionOf(arn)
	dst = jsontok.AppendString(append(dst, `"StreamName":`...), name)
	return jsontok.AppendString(append(dst, `,"StreamARN":`...), arn)
}

// fits reports whether a record may be put at all.
func fits(partition string, data []byte) bool { return len(data)+len(partition) <= maxRecordBytes }

// add adds a record, unless that is too much for one request.
func (b *batch) add(pos kv.Pos, partition string, data []byte) bool {
	size := len(data) + len(partition)
	if b.bytes+size > maxBatchBytes {
		return false
	}
	if len(b.positions) > 0 {
		b.text = append(b.text, ',')
	}
	b.text = append(b.text, `{"Data":"`...)
	b.text = base64.StdEncoding.AppendEncode(b.text, data)
	b.text = append(b.text, `","PartitionKey":"`...)
	b.text = append(b.text, partition...)
	b.text = append(b.text, `"}`...)
	b.bytes += size
	b.positions = append(b.positions, pos)
	return true
}

// body returns the input. Nothing may be added any more.
func (b *batch) body() []byte {
	b.text = append(b.text, `]}`...)
	return b.text
}
