package dynamodbstreams

import (
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/api/ddbstreams"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/flow/streams"
)

// TestNextPage: a page goes on behind the last shard of the one before, also if that shard is no more. A shard that was split soon after
// it was opened is dropped before an older one that stayed open for hours.
func TestNextPage(t *testing.T) {
	begin := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	at := func(number uint64, parent uint64) table.Shard {
		s := table.Shard{Number: number, Opened: begin.Add(time.Duration(number) * time.Minute), Parent: parent}
		if parent != 0 {
			s.ParentOpened = begin.Add(time.Duration(parent) * time.Minute)
		}
		return s
	}
	d := &table.Definition{Log: table.Log{Closed: []table.Shard{at(1, 0), at(2, 0)}, Open: []table.Shard{at(3, 1), at(4, 2), at(5, 2)}}}
	st := &streams.Stream{Table: d, Stream: table.Stream{Created: begin}}
	ids := map[string]string{"before": "shardId-00000000000000000000-00000000", "after": "shardId-99999999999999999999-00000000"}
	for _, sh := range st.Shards() {
		ids[string('0'+rune(sh.Number))] = sh.ID
	}
	for _, tt := range []struct{ dropped, start, parent, want string }{
		{"", "", "", "1 2 3 4 5"},
		{"", "2", "", "3 4 5"},
		{"", "5", "", ""},
		{"1", "1", "", "2 3 4 5"},
		{"2", "2", "", "3 4 5"}, // from the middle
		{"1 2", "2", "", "3 4 5"},
		{"", "before", "", ""},
		{"", "after", "", ""},
		{"", "", "2", "4 5"},
		{"2", "4", "2", "5"},
	} {
		now := *d
		now.Log = table.Log{Open: d.Log.Open, Closed: d.Log.Closed}
		now.Log.Drop(func(s *table.Shard) bool { return strings.Contains(tt.dropped, string('0'+rune(s.Number))) })
		in := new(ddbstreams.DescribeStreamInput)
		if tt.start != "" {
			in.ExclusiveStartShardId = new(ids[tt.start])
		}
		if tt.parent != "" {
			in.ShardFilter = &ddbstreams.ShardFilter{ShardId: new(ids[tt.parent])}
		}
		var got []string
		for _, sh := range listed(&streams.Stream{Table: &now, Stream: st.Stream}, in) {
			got = append(got, string('0'+rune(sh.Number)))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("without %q after %q, children of %q: %s, want %s", tt.dropped, tt.start, tt.parent, s, tt.want)
		}
	}
}
