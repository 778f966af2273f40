package model

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme/tests/harness"
)

var (
	seeds  = flag.Int("seeds", 4, "how many seeds to run")
	seed   = flag.Uint64("seed", 0, "the only seed to run")
	ops    = flag.Int("ops", 180, "operations for each seed")
	replay = flag.String("replay", "", "a file with operations to run")
)

// A run does operations to a database and to the model.
type run struct {
	sys *system
	m   *model
}

func newRun() (*run, error) {
	sys, err := startSystem(harness.Config{Power: true, Streams: restless})
	return &run{sys, newModel(epoch)}, err
}

// do does one operation and reports how the answers differ.
func (r *run) do(ctx context.Context, op *Op) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	want := r.m.do(op)
	got, err := r.sys.do(ctx, op)
	switch {
	case err != nil:
		return err
	case !reflect.DeepEqual(got, want):
		return fmt.Errorf("answers\n  %s\nwant\n  %s", brief(got), brief(want))
	case defines(op.Kind):
		return r.sys.Settle(ctx)
	}
	return nil
}

// finish looks at all that is stored, before and after a restart.
func (r *run) finish(ctx context.Context) error {
	for _, kind := range []string{"check", "restart", "check"} {
		if err := r.do(ctx, &Op{Kind: kind}); err != nil {
			return fmt.Errorf("at the end: %s: %w", kind, err)
		}
	}
	for name := range r.m.streams {
		if err := r.do(ctx, &Op{Kind: "records", Table: name, Limit: 9}); err != nil {
			return fmt.Errorf("at the end: records of %s: %w", name, err)
		}
	}
	for name := range r.m.tables {
		for _, kind := range []string{"describe", "scan"} {
			if err := r.do(ctx, &Op{Kind: kind, Table: name, Pages: 1000, Limit: 7}); err != nil {
				return fmt.Errorf("at the end: %s of %s: %w", kind, name, err)
			}
		}
	}
	return nil
}

// brief prints an answer without the x of long texts.
func brief(a answer) string {
	text := fmt.Sprintf("%+v", a)
	for _, n := range []int{100_000, 10_000, 1000, 100} {
		text = strings.ReplaceAll(text, strings.Repeat("x", n), "…")
	}
	return text
}

// perform does a list of operations and returns how far it came; the error is what differs at the last.
func perform(ctx context.Context, list []Op) (n int, err error) {
	r, err := newRun()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.sys.Close()) }()
	for i := range list {
		if err := r.do(ctx, &list[i]); err != nil {
			return i + 1, err
		}
	}
	return len(list), r.finish(ctx)
}

// generate does random operations and returns them; the error is what differs at the last.
func generate(ctx context.Context, seed uint64, n int) (list []Op, err error) {
	r, err := newRun()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.sys.Close()) }()
	g := newGenerator(seed, r.m)
	for range n {
		op := g.next()
		list = append(list, op)
		if err := r.do(ctx, &op); err != nil {
			return list, err
		}
	}
	return list, r.finish(ctx)
}

func TestSequential(t *testing.T) {
	first, last := uint64(1), uint64(*seeds)
	if *seed > 0 {
		first, last = *seed, *seed
	}
	for s := first; s <= last; s++ {
		t.Run(fmt.Sprint("seed", s), func(t *testing.T) {
			t.Parallel()
			list, err := generate(t.Context(), s, *ops)
			if err != nil {
				report(t, list, err)
			}
		})
	}
}

// report shrinks a list that fails and prints it.
func report(t *testing.T, list []Op, err error) {
	list, err = shrink(t.Context(), list, err)
	var text strings.Builder
	for i := range list {
		fmt.Fprintln(&text, &list[i])
	}
	t.Errorf("%v\nwith -replay of:\n%s", err, text.String())
}

// shrink removes operations from a list as long as it still fails, and not forever.
func shrink(ctx context.Context, list []Op, err error) ([]Op, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for size := len(list) / 2; size > 0; {
		removed := false
		for at := 0; at < len(list) && ctx.Err() == nil; {
			shorter := slices.Delete(slices.Clone(list), at, min(at+size, len(list)))
			n, again := perform(ctx, shorter)
			if again == nil || ctx.Err() != nil {
				at += size
				continue
			}
			list, err, removed = shorter[:n], again, true
		}
		if !removed || size > 1 {
			size /= 2
		}
	}
	return list, err
}

// TestReplay runs the lists that once failed.
func TestReplay(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.jsonl")
	if *replay != "" {
		files = []string{*replay}
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			list := load(t, name)
			if n, err := perform(t.Context(), list); err != nil {
				t.Errorf("operation %d: %v", n, err)
			}
		})
	}
}

func load(t *testing.T, name string) (list []Op) {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var op Op
		if err := json.Unmarshal(lines.Bytes(), &op); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		list = append(list, op)
	}
	return list
}
