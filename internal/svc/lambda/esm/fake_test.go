package esm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A stream is a Source in memory. An iterator is SHARD@INDEX.
type stream struct {
	mu      sync.Mutex
	shards  []Shard
	records map[string][]Record
	expired map[string]bool // iterators
	trimmed map[string]int  // by shard: so many records are gone
	broken  error           // what everything fails with
}

func newStream(shards ...Shard) *stream {
	if len(shards) == 0 {
		shards = []Shard{{ID: "s"}}
	}
	return &stream{shards: shards, records: map[string][]Record{}, expired: map[string]bool{}, trimmed: map[string]int{}}
}

// add appends records to a shard: each is KEY or KEY=VALUE.
func (s *stream) add(shard string, texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range texts {
		key, _, _ := strings.Cut(text, "=")
		n := len(s.records[shard]) + 1
		number := fmt.Sprintf("%d%020d", 1+slices.IndexFunc(s.shards, func(sh Shard) bool { return sh.ID == shard }), n)
		body := fmt.Sprintf(`{"v":%q,"sequence":%q}`, text, number)
		s.records[shard] = append(s.records[shard], Record{Sequence: number, Time: time.Now(), Key: []byte(key), JSON: []byte(body)})
	}
}

func (s *stream) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *stream) Shards(context.Context) ([]Shard, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.shards), s.broken
}

func (s *stream) Iterator(_ context.Context, shard, after string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := 0
	for i < len(s.records[shard]) && !before(after, s.records[shard][i].Sequence) {
		i++
	}
	if after == "" {
		i = s.trimmed[shard]
	}
	if i < s.trimmed[shard] {
		return "", ErrTrimmed
	}
	return fmt.Sprint(shard, "@", i), s.broken
}

func (s *stream) LatestIterator(_ context.Context, shard string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprint(shard, "@", len(s.records[shard])), s.broken
}

func (s *stream) Records(_ context.Context, iterator string, limit int) ([]Record, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shard, number, _ := strings.Cut(iterator, "@")
	i, _ := strconv.Atoi(number)
	switch {
	case s.broken != nil:
		return nil, "", s.broken
	case s.expired[iterator]:
		delete(s.expired, iterator)
		return nil, "", ErrExpired
	case i < s.trimmed[shard]:
		return nil, "", ErrTrimmed
	}
	all := s.records[shard]
	end := min(len(all), i+limit)
	closed := slices.ContainsFunc(s.shards, func(sh Shard) bool { return sh.ID == shard && sh.Closed })
	if end == len(all) && closed {
		return all[i:end], "", nil
	}
	return all[i:end], fmt.Sprint(shard, "@", end), nil
}

// A store is a Store in memory.
type store struct {
	mu    sync.Mutex
	saved map[string]Checkpoint
	fails bool
}

func (s *store) key(c *Checkpoint) string { return fmt.Sprint(c.Shard, "/", c.Lane) }

func (s *store) Load(context.Context) (list []Checkpoint, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.saved {
		list = append(list, c)
	}
	return list, nil
}

func (s *store) Save(_ context.Context, c *Checkpoint) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails {
		return errors.New("the store is broken")
	}
	if s.saved == nil {
		s.saved = map[string]Checkpoint{}
	}
	s.saved[s.key(c)] = *c
	return nil
}

func (s *store) Remove(_ context.Context, c *Checkpoint) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.saved, s.key(c))
	return nil
}

// places returns how far the lanes of all shards have come, by the last digits.
func (s *store) places() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for key, c := range s.saved {
		after := strings.TrimLeft(c.After[min(1, len(c.After)):], "0")
		if c.Done {
			after += "!"
		}
		out = append(out, key+":"+after)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// A recorder is a Function that remembers its calls.
type recorder struct {
	mu     sync.Mutex
	calls  []string // the records of each
	events []event
	// does says what becomes of a call; nil: it succeeds.
	does func(e event) (answer string, failure string, err error)
}

// An event is as the function sees it.
type event struct {
	Records []struct{ V, Sequence string }
	Window  *struct{ Start, End string }
	State   json.RawMessage
	ShardID string `json:"shardId"`
	Last    bool   `json:"isFinalInvokeForWindow"`
	Early   bool   `json:"isWindowTerminatedEarly"`
}

func (e event) String() string {
	var vs []string
	for _, r := range e.Records {
		vs = append(vs, r.V)
	}
	return strings.Join(vs, ",")
}

func (r *recorder) call(_ context.Context, text []byte) ([]byte, string, error) {
	var e event
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, "", err
	}
	r.mu.Lock()
	r.calls = append(r.calls, e.String())
	r.events = append(r.events, e)
	does := r.does
	r.mu.Unlock()
	if does == nil {
		return nil, "", nil
	}
	answer, failure, err := does(e)
	return []byte(answer), failure, err
}

// seen returns the calls so far.
func (r *recorder) seen() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.calls, " | ")
}

// A world is a mapping with all that it needs.
type world struct {
	t      *testing.T
	stream *stream
	store  *store
	f      *recorder
	set    Settings
	latest map[string]string
	logged strings.Builder

	stop   chan struct{}
	cancel context.CancelFunc
	done   chan error
	mu     sync.Mutex
	notes  []string
}

// inWorld runs a test in a bubble of time, with a poller that is started when it says so.
func inWorld(t *testing.T, set Settings, f func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		if set.Batch == 0 {
			set.Batch = 100
		}
		w := &world{t: t, stream: newStream(), store: &store{}, f: &recorder{}, set: set}
		f(w)
		if w.done != nil {
			w.end()
		}
	})
}

// start starts a poller.
func (w *world) start() {
	ctx, cancel := context.WithCancel(w.t.Context())
	w.stop, w.cancel, w.done = make(chan struct{}), cancel, make(chan error, 1)
	p := NewPoller(Config{
		Settings: w.set, Source: w.stream, Store: w.store, Function: w.f.call, StreamARN: "arn:stream", FunctionARN: "arn:function", Latest: w.latest,
		Note: func(s string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if n := len(w.notes); n == 0 || w.notes[n-1] != s {
				w.notes = append(w.notes, s)
			}
		},
		Now: time.Now, Log: slog.New(slog.NewTextHandler(&syncWriter{b: &w.logged}, nil)),
	})
	go func() { w.done <- p.Run(ctx, w.stop) }()
}

type syncWriter struct {
	mu sync.Mutex
	b  *strings.Builder
}

func (s *syncWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// end stops the poller as the end of a mapping does.
func (w *world) end() {
	w.t.Helper()
	close(w.stop)
	if err := <-w.done; err != nil {
		w.t.Errorf("Run: %v", err)
	}
	w.cancel()
	w.done = nil
}

// crash stops the poller as the end of the server does.
func (w *world) crash() {
	w.cancel()
	<-w.done
	w.done = nil
}

// after lets time pass and then compares the calls so far.
func (w *world) after(d time.Duration, want ...string) {
	w.t.Helper()
	time.Sleep(d)
	synctest.Wait()
	if got := w.f.seen(); got != strings.Join(want, " | ") {
		w.t.Errorf("calls: %s\nwant:  %s", got, strings.Join(want, " | "))
	}
}

func (w *world) checkPlaces(want string) {
	w.t.Helper()
	if got := w.store.places(); got != want {
		w.t.Errorf("places: %s, want %s", got, want)
	}
}

// numbered returns texts like a1 a2 a3.
func numbered(prefix string, from, to int) (texts []string) {
	for i := from; i <= to; i++ {
		texts = append(texts, fmt.Sprint(prefix, i))
	}
	return texts
}
