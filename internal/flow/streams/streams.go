// Package streams shows the change logs of tables as DynamoDB streams: shards in a lineage, records with sequence numbers. What serves
// the API reads them here, and so does what follows a stream within the process.
//
// A reader lists the shards of a stream and reads each from a Position on. When a shard has ended it goes on with the shard's children.
// The records of an item are thus seen in the order of its changes, each once.
package streams

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/grammedb/gramme/internal/db/change"
	"github.com/grammedb/gramme/internal/db/changelog"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// The most that a page of records holds.
const (
	MaxRecords = 1000
	MaxBytes   = 1 << 20 // of Record.Size
)

// maxRead is about how many bytes of images a page goes through: a stream may show but the keys of them.
const maxRead = 16 << 20

// What reading fails with.
var (
	ErrNoStream = errors.New("streams: there is no such stream")
	ErrNoShard  = errors.New("streams: there is no such shard")
	ErrTrimmed  = errors.New("streams: records have been trimmed")
)

// A Reader reads the streams of all tables.
type Reader struct {
	catalog *table.Catalog
	log     *changelog.Log
}

// New returns a reader.
func New(c *table.Catalog, l *changelog.Log) *Reader { return &Reader{c, l} }

// CatchUp makes what is read be as the clock says, also if it was put forward.
func (r *Reader) CatchUp(ctx context.Context) { r.log.CatchUp(ctx) }

// A Stream is a stream as it is at a moment, with its table, which may have been deleted.
type Stream struct {
	Table *table.Definition
	table.Stream
}

// ARN returns the stream's ARN.
func (s *Stream) ARN() string { return s.Table.StreamARN(s.Label()) }

// List returns the streams of a region that there are, those of deleted tables too, in ascending order of their ARNs. A name restricts
// it to the tables of that name.
func (r *Reader) List(account, region, name string) []*Stream {
	pass := func(n table.Name) bool {
		return n.Account == account && n.Region == region && (name == "" || n.Table == name)
	}
	arns := map[*Stream]string{} // made once: there may be thousands, of tables that were deleted today
	for _, d := range append(r.catalog.All(pass), r.catalog.Retired(pass)...) {
		for _, s := range d.Streams {
			st := &Stream{d, s}
			arns[st] = st.ARN()
		}
	}
	return slices.SortedFunc(maps.Keys(arns), func(a, b *Stream) int { return strings.Compare(arns[a], arns[b]) })
}

// Find returns the stream of a table of that name with that label, as it is now. Fails with ErrNoStream.
func (r *Reader) Find(n table.Name, label string) (*Stream, error) {
	if d := r.catalog.Get(n); d != nil {
		if s := d.StreamLabelled(label); s != nil {
			return &Stream{d, *s}, nil
		}
	}
	for _, d := range r.catalog.Retired(func(r table.Name) bool { return r == n }) {
		if s := d.StreamLabelled(label); s != nil {
			return &Stream{d, *s}, nil
		}
	}
	return nil, ErrNoStream
}

// A Shard is one of a stream's sequences of records.
type Shard struct {
	table.Shard
	ID, ParentID string // ParentID is "" if the stream begins with the shard; it may name one that is no more
}

// Open reports whether there may be more records.
func (s *Shard) Open() bool { return s.Closed.IsZero() }

// First returns a sequence number before those of all records of the shard.
func (s *Shard) First() Sequence { return Sequence{s.Number, 0} }

// Shards returns the shards in ascending order of their IDs, parents before children.
func (s *Stream) Shards() []Shard {
	var list []Shard
	for _, sh := range s.Table.Log.Shards() {
		if s.Covers(&sh) {
			list = append(list, s.shard(sh))
		}
	}
	slices.SortFunc(list, func(a, b Shard) int { return strings.Compare(a.ID, b.ID) })
	return list
}

func (s *Stream) shard(sh table.Shard) Shard {
	out := Shard{Shard: sh, ID: shardID(sh.Opened, sh.Number)}
	if sh.Parent != 0 && !sh.ParentOpened.Before(s.Created) {
		out.ParentID = shardID(sh.ParentOpened, sh.Parent)
	}
	return out
}

// FirstID returns what the IDs of all shards of the stream are not less than.
func (s *Stream) FirstID() string { return shardID(s.Created, 0) }

// shardID returns the ID of a shard: it sorts by age.
func shardID(opened time.Time, number uint64) string {
	return fmt.Sprintf("shardId-%020d-%08x", opened.UnixMilli(), uint32(number))
}

// Shard returns the shard of that ID. Fails with ErrNoShard.
func (s *Stream) Shard(id string) (Shard, error) {
	for _, sh := range s.Shards() {
		if sh.ID == id {
			return sh, nil
		}
	}
	return Shard{}, ErrNoShard
}

// Last returns the sequence number of the newest record of a shard, or its First if there was none.
func (r *Reader) Last(ctx context.Context, s *Shard) (Sequence, error) {
	end, err := r.log.End(ctx, s.Number)
	return Sequence{s.Number, end}, err
}

// A Position is a place in a shard from which one reads on: behind a record or, if Horizon, before the first that there is.
type Position struct {
	Shard   uint64
	After   kv.Pos
	Horizon bool
}

// A Page is what one Read returns.
type Page struct {
	Records []Record
	Next    Position
	End     bool // there will be no more
}

// A Record is a change as the stream shows it.
type Record struct {
	Event          change.Event
	Sequence       Sequence
	Time           time.Time
	User           *change.User // nil: a client
	Keys, New, Old attr.Item    // nil: not shown, or there was none
	Size           int          // of what is shown, in bytes as DynamoDB counts them
}

// Read returns at most limit records after a position, and fewer if they are large. None, and no End, means that there are none for
// now. Fails with ErrTrimmed if records after the position are no more.
func (r *Reader) Read(ctx context.Context, s *Stream, at Position, limit int) (Page, error) {
	shard := s.numbered(at.Shard)
	if shard == nil { // the shard is gone with all its records
		return Page{}, ErrTrimmed
	}
	p := Page{Next: at}
	bytes, read := 0, 0
	for len(p.Records) < limit && read < maxRead {
		list, next, err := r.log.Read(ctx, at.Shard, p.Next.After, limit-len(p.Records))
		if errors.Is(err, kv.ErrTrimmed) {
			if !p.Next.Horizon {
				return p, trimmedUnless(len(p.Records) > 0)
			}
			p.Next.After = next
			continue
		}
		if err != nil {
			return Page{}, err
		}
		if len(list) == 0 {
			// The shard was looked up before: if it was closed by then, nothing can have come behind what has been read.
			p.End = !shard.Closed.IsZero()
			break
		}
		for i := range list {
			rec := s.record(at.Shard, &list[i])
			if bytes += rec.Size; bytes > MaxBytes && len(p.Records) > 0 {
				return p, nil
			}
			p.Records = append(p.Records, rec)
			p.Next = Position{Shard: at.Shard, After: list[i].Pos}
			read += len(list[i].Old) + len(list[i].New)
		}
	}
	return p, nil
}

// trimmedUnless returns ErrTrimmed unless there are records to return first.
func trimmedUnless(some bool) error {
	if some {
		return nil
	}
	return ErrTrimmed
}

// numbered returns the shard of that number, nil if the stream has none.
func (s *Stream) numbered(number uint64) *table.Shard {
	log := &s.Table.Log
	for _, list := range [2][]table.Shard{log.Open, log.Closed} {
		for i := range list {
			if list[i].Number == number && s.Covers(&list[i]) {
				return &list[i]
			}
		}
	}
	return nil
}

// record shows a change as the stream's view type wants it.
func (s *Stream) record(shard uint64, e *changelog.Entry) Record {
	r := Record{
		Event:    e.Event(),
		Sequence: Sequence{shard, e.Pos},
		Time:     e.Stamp.At(),
		User:     e.User,
		Keys:     s.keys(e.Image()),
	}
	r.Size = r.Keys.Size()
	if s.View == "NEW_IMAGE" || s.View == "NEW_AND_OLD_IMAGES" {
		r.New, r.Size = e.New, r.Size+e.NewSize
	}
	if s.View == "OLD_IMAGE" || s.View == "NEW_AND_OLD_IMAGES" {
		r.Old, r.Size = e.Old, r.Size+e.OldSize
	}
	return r
}

// keys returns the key attributes of an item.
func (s *Stream) keys(it attr.Item) attr.Item {
	schema := &s.Table.Schema
	fields := make([]attr.Field, 0, 2)
	for _, list := range [2][]table.Attribute{schema.Partition, schema.Sort} {
		for _, a := range list {
			fields = append(fields, attr.Field{Name: a.Name, Value: it.Get(a.Name)})
		}
	}
	return attr.Make(fields...)
}
