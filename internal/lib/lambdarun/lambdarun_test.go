package lambdarun

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A logBuffer takes a log that several goroutines write.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *logBuffer) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// eventually waits for something that happens in the background.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain until", what)
		}
	}
}

// pid invokes the function and returns the number of the process that answered.
func pid(t *testing.T, r *Runner, f *Function) int {
	t.Helper()
	res, err := r.Invoke(t.Context(), f, order("pid", ""))
	if err != nil || res.Failure != "" {
		t.Fatalf("%s %v", res.Payload, err)
	}
	n, err := strconv.Atoi(string(res.Payload))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestReuse(t *testing.T) {
	r, _ := newRunner(t, 2, 2)
	f := testFunction(t, "obey")
	first := pid(t, r, f)
	if again := pid(t, r, f); again != first {
		t.Errorf("a process that was free was not used again")
	}
	changed := *f
	changed.Revision = "2"
	if other := pid(t, r, &changed); other == first {
		t.Error("a process of an older revision was used")
	}
	eventually(t, "the older revision ends", func() bool { return !alive(first) })

	second := pid(t, r, &changed)
	r.Retire(f.ARN)
	eventually(t, "a retired function ends", func() bool { return !alive(second) })

	third := pid(t, r, &changed)
	r.cfg.Idle = 0
	if err := r.ReapIdle(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "an idle process ends", func() bool { return !alive(third) })
}

// hang has a process hang, and returns when it does, with how to end that and what came of it.
func hang(t *testing.T, r *Runner, f *Function) (end func(), came <-chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := r.Invoke(ctx, f, order("hang", ""))
		ended <- err
	}()
	eventually(t, "the function hangs", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		p := r.pools[f.ARN]
		return p != nil && p.running > len(p.idle)
	})
	return cancel, ended
}

func TestLimits(t *testing.T) {
	r, _ := newRunner(t, 2, 1)
	f, other, third := testFunction(t, "obey"), testFunction(t, "obey"), testFunction(t, "obey")
	other.ARN += "-other"
	third.ARN += "-third"
	end, came := hang(t, r, f)
	if _, err := r.Invoke(t.Context(), f, order("pid", "")); !errors.Is(err, ErrBusy) {
		t.Errorf("a second process of a function: %v, want ErrBusy", err)
	}
	pid(t, r, other)
	waiting := order("pid", "")
	waiting.Wait = true
	if _, err := r.Invoke(t.Context(), third, waiting); err != nil { // in the place of the idle one
		t.Errorf("a third function: %v", err)
	}

	answered := make(chan error, 1)
	go func() {
		_, err := r.Invoke(t.Context(), f, waiting)
		answered <- err
	}()
	end()
	if err := <-came; !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	if err := <-answered; err != nil {
		t.Errorf("waited for a turn: %v", err)
	}
}

func TestClose(t *testing.T) {
	r, _ := newRunner(t, 4, 4)
	f := testFunction(t, "obey")
	idle := pid(t, r, f)
	other := *f
	other.ARN += "-other"
	_, came := hang(t, r, &other)
	r.Close()
	if err := <-came; !errors.Is(err, ErrClosed) {
		t.Errorf("under way: %v, want ErrClosed", err)
	}
	if alive(idle) {
		t.Error("a process outlives the runner")
	}
	if left, err := os.ReadDir(r.cfg.Dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	if _, err := r.Invoke(t.Context(), f, order("pid", "")); !errors.Is(err, ErrClosed) {
		t.Errorf("afterwards: %v, want ErrClosed", err)
	}
	r.spawn = newSpawner() // for the Close of the test's end
}

func TestLog(t *testing.T) {
	r, logged := newRunner(t, 2, 2)
	f := testFunction(t, "obey")
	f.Name = "teller"
	for range 2 { // a new process, and one that is used again
		res, err := r.Invoke(t.Context(), f, order("answer", "tea"))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(res.Log), "\n")
		if len(lines) != 5 || lines[0] != "START RequestId: id-of-answer Version: $LATEST" || lines[1] != "asked for tea" ||
			lines[2] != "END RequestId: id-of-answer" || !strings.HasPrefix(lines[3], "REPORT RequestId: id-of-answer\tDuration: ") {
			t.Errorf("log:\n%s", res.Log)
		}
	}
	if got := strings.Count(logged.String(), `msg="asked for tea" function=teller request=id-of-answer`); got != 2 {
		t.Errorf("%d lines in the log, want 2:\n%s", got, logged)
	}

	res, err := r.Invoke(t.Context(), f, order("print", strconv.Itoa(maxLogged+3*maxLine)))
	if err != nil {
		t.Fatal(err)
	}
	if tail := string(res.Log); len(tail) != maxTail || !strings.Contains(tail, "yyyy\nEND") && !strings.Contains(tail, "yyyyEND") {
		t.Errorf("the tail of a long log has %d bytes: %.200q", len(tail), tail)
	}
	if n := len(logged.String()); n > maxLogged+maxLogged/4 || !strings.Contains(logged.String(), "is left out of the log") {
		t.Errorf("a function prints %d bytes into the log", n)
	}
}

func TestEnvironment(t *testing.T) {
	r, _ := newRunner(t, 2, 2)
	f := testFunction(t, "obey")
	dir, _, _ := f.Open(t.Context())
	f.Env = append(f.Env, "TEAPOT=short")
	res, err := r.Invoke(t.Context(), f, order("environment", "TEAPOT"))
	if err != nil {
		t.Fatal(err)
	}
	check(t, "variable", res, "", quote("short in "+dir))
}

// FuzzLines: however the output is cut into pieces, all of it is taken, and a mark is seen after what stands before it.
func FuzzLines(f *testing.F) {
	f.Add([]byte("one\ntwo"), 3, 5)
	f.Add(bytes.Repeat([]byte("x"), 3*maxLine), maxLine+1, 1)
	f.Fuzz(func(t *testing.T, text []byte, cut, size int) {
		o := &output{mark: []byte("THE MARK\n"), seen: make(chan struct{}, 1), log: slog.New(slog.DiscardHandler)}
		if bytes.Contains(text, o.mark[:len(o.mark)-1]) || size <= 0 || len(text) > 2*maxLine {
			return
		}
		cut = min(max(0, cut), len(text))
		stream := append(append(bytes.Clone(text[:cut]), o.mark...), text[cut:]...)
		var buf []byte
		for len(stream) > 0 {
			n := min(size, len(stream))
			buf = o.lines(append(buf, stream[:n]...))
			stream = stream[n:]
		}
		o.line(buf)
		if len(o.seen) != 1 {
			t.Fatal("the mark was not seen")
		}
		if o.logged != len(text) {
			t.Fatalf("%d bytes of %d were taken", o.logged, len(text))
		}
	})
}
