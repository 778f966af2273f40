package dynamodbstreams

import (
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/flow/streams"
)

func testStream(name string) *streams.Stream {
	d := &table.Definition{Account: "000000000000", Region: "eu-test-1", Name: name}
	return &streams.Stream{Table: d, Stream: table.Stream{Created: time.UnixMilli(1234567890123)}}
}

func service(secret string, now time.Time) *Service {
	return New(Config{Secret: []byte(secret), Now: func() time.Time { return now }})
}

func TestIterator(t *testing.T) {
	made := time.UnixMilli(1893499445678)
	st, long := testStream("Music"), testStream(strings.Repeat("x", 255))
	for _, at := range []streams.Position{{}, {Shard: 7, After: 9}, {Shard: 7, Horizon: true}, {Shard: 1<<64 - 1, After: 1<<64 - 1}} {
		for _, st := range []*streams.Stream{st, long} {
			text := service("a", made).iterator(st, at)
			if !strings.HasPrefix(text, st.ARN()+"|1|") || len(text) > 2048 {
				t.Errorf("iterator %s", text)
			}
			arn, got, err := service("a", made.Add(iteratorLife)).parseIterator(text)
			if err != nil || got != at || arn != st.ARN() {
				t.Errorf("%+v is read as %s %+v, %v", at, arn, got, err)
			}
		}
	}
	text := service("a", made).iterator(st, streams.Position{Shard: 7})
	other := service("a", made).iterator(testStream("Other"), streams.Position{Shard: 7})
	_, body, _ := strings.Cut(other, iteratorMark)
	for name, c := range map[string]struct {
		s    *Service
		text string
		want string
	}{
		"too late":            {service("a", made.Add(iteratorLife+time.Millisecond)), text, "ExpiredIteratorException: Iterator expired"},
		"of another store":    {service("b", made), text, "ValidationException: Invalid ShardIterator"},
		"of another stream":   {service("a", made), st.ARN() + iteratorMark + body, "ValidationException: Invalid ShardIterator"},
		"with another number": {service("a", made), strings.Replace(text, "|1|A", "|1|B", 1), "ValidationException: Invalid ShardIterator"},
		"cut":                 {service("a", made), text[:len(text)-4], "ValidationException: Invalid ShardIterator"},
		"the clock set back":  {service("a", made.Add(-time.Hour)), text, ""},
	} {
		_, _, err := c.s.parseIterator(c.text)
		if got := errorText(err); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// FuzzParseIterator: only what was handed out is taken.
func FuzzParseIterator(f *testing.F) {
	s := service("a", time.UnixMilli(1893499445678))
	own := s.iterator(testStream("Music"), streams.Position{Shard: 7, After: 9})
	f.Add(own)
	f.Add("x|1|AAAA")
	f.Add(own + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, at, err := s.parseIterator(text); err == nil && text != own {
			t.Errorf("%q is taken as %+v", text, at)
		}
	})
}

func FuzzParseARN(f *testing.F) {
	f.Add(testStream("Music").ARN())
	f.Add("arn:aws:dynamodb:::table//stream/")
	f.Fuzz(func(t *testing.T, arn string) {
		n, label, ok := parseARN(arn)
		if back := "arn:aws:dynamodb:" + n.Region + ":" + n.Account + ":table/" + n.Table + "/stream/" + label; ok && back != arn {
			t.Errorf("%q is read as %q", arn, back)
		}
	})
}
