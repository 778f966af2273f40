package kinesis

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/grammedb/gramme/internal/db/change"
	"github.com/grammedb/gramme/internal/db/changelog"
	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/row"
	"github.com/grammedb/gramme/internal/lang/attr"
)

var rewrite = flag.Bool("rewrite", false, "write the records into testdata")

// TestRecords holds the bytes of records.
func TestRecords(t *testing.T) {
	d := dbtest.Define(t, "Music artist:S song:N")
	d.ID = "0f3a2b54-7c1d-4b0e-9a55-2f6f3a5a1b2c"
	at := row.Stamp{Time: row.After(0, time.UnixMicro(1720740233012995))}
	image := func(text string) (attr.Item, int) {
		if text == "" {
			return nil, 0
		}
		it := dbtest.Item(t, text)
		return it, it.Size()
	}
	var got bytes.Buffer
	for i, c := range []struct {
		precision, old, new string
		user                *change.User
	}{
		{"", "", "artist=a song=1 t=one", nil},
		{Millisecond, "artist=a song=1 t=one", `{"artist":{"S":"a"},"song":{"N":"1"},"more":{"L":[{"NULL":true},{"M":{"x":{"BOOL":false}}},{"NS":["1","2.5"]}]}}`, nil},
		{Microsecond, "artist=a song=1", "", nil},
		{Microsecond, "artist=a song=1", "", change.TTL},
		{"", "", `{"artist":{"S":"\"\u2028\n"},"song":{"N":"-1e10"},"b":{"B":"AAEC"},"s":{"BS":["AA==","/w=="]},"m":{"M":{"l":{"L":[{"B":"AAEC"},{"S":"x"}]}}}}`, nil},
	} {
		e := &changelog.Entry{Pos: 7, Record: change.Record{Stamp: at, User: c.user}}
		e.Old, e.OldSize = image(c.old)
		e.New, e.NewSize = image(c.new)
		key, err := d.KeyOf(e.Image())
		if err != nil {
			t.Fatal(err)
		}
		src := newSource(d, c.precision)
		data := src.appendRecord(nil, uint64(i), e, key)
		if !json.Valid(data) {
			t.Errorf("no JSON: %s", data)
		}
		got.WriteString(partitionKey(key) + "\n")
		got.Write(append(data, '\n', '\n'))
	}
	const file = "testdata/records.txt"
	if *rewrite {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

// TestBinaryTwice: a consumer of the service's records decodes binary values twice.
func TestBinaryTwice(t *testing.T) {
	it := dbtest.Item(t, `{"b":{"B":"AAEC"},"n":{"N":"1"}}`)
	if got := string(twice(it).AppendJSON(nil)); got != `{"b":{"B":"QUFFQw=="},"n":{"N":"1"}}` {
		t.Errorf("it is %s", got)
	}
	plain := dbtest.Item(t, `{"l":{"L":[{"M":{}},{"SS":["x"]}]},"n":{"N":"1"}}`)
	if !bytes.Equal(twice(plain), plain) {
		t.Errorf("%s became %s", plain, twice(plain))
	}
}

func TestEventIDs(t *testing.T) {
	d := dbtest.Define(t, "Music artist:S song:S") // its ID is no UUID
	src := newSource(d, "")
	seen := map[string]bool{}
	for shard := range uint64(3) {
		for pos := range 3 {
			id := src.eventID(shard, &changelog.Entry{Pos: 1 << pos})
			if _, err := uuid.Parse(id); err != nil || seen[id] || id != src.eventID(shard, &changelog.Entry{Pos: 1 << pos}) {
				t.Errorf("%s: %v, seen: %v", id, err, seen[id])
			}
			seen[id] = true
		}
	}
}

func TestBatchLimits(t *testing.T) {
	b := newBatch(stream)
	b.reset()
	partition := strings.Repeat("A", 32)
	data := bytes.Repeat([]byte{'x'}, maxRecordBytes-len(partition))
	if !fits(partition, data) || fits(partition, append(data, 'x')) {
		t.Error("1 MiB with the partition key is what fits")
	}
	for i := range 5 {
		if !b.add(1, partition, data) {
			t.Fatalf("record %d does not fit", i)
		}
	}
	if b.add(1, partition, []byte("x")) {
		t.Error("more than 5 MiB are in a batch")
	}
	b.reset()
	if !b.add(1, partition, []byte("x")) || !json.Valid(b.body()) {
		t.Errorf("a batch that is used again is %s", b.text)
	}
}

func TestStreamARNs(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:kinesis:us-east-1:000000000000:stream/s":      "us-east-1 s",
		"arn:aws-cn:kinesis:cn-north-1:123456789012:stream/a.": "cn-north-1 a.",
		"arn:aws:kinesis:us-east-1:000000000000:stream/":       "",
		"arn:aws:kinesis:us-east-1:000000000000:s":             "",
		"arn:aws:kinesis::000000000000:stream/s":               "",
		"arn:aws:dynamodb:us-east-1:000000000000:table/s":      "",
		"arn:aws:kinesis:evil.example/:000000000000:stream/s":  "",
		"this is no ARN": "",
	} {
		region, name, ok := regionOf(arn)
		if got := region + " " + name; ok != (want != "") || ok && got != want {
			t.Errorf("%s: %s, %v", arn, got, ok)
		}
	}
}
