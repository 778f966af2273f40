package gateway

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// A countingConn counts how often its deadlines are set.
type countingConn struct {
	net.Conn
	reads, writes []time.Time
}

func (c *countingConn) Read(p []byte) (int, error)  { return len(p), nil }
func (c *countingConn) Write(p []byte) (int, error) { return len(p), nil }

func (c *countingConn) SetReadDeadline(t time.Time) error {
	c.reads = append(c.reads, t)
	return nil
}

func (c *countingConn) SetWriteDeadline(t time.Time) error {
	c.writes = append(c.writes, t)
	return nil
}

func TestDeadlinesAreSetWhenNeeded(t *testing.T) {
	var counting countingConn
	c := newDeadlineConn(&counting, time.Second, nil)
	base := time.Unix(1_700_000_000, 0)
	for _, step := range []struct {
		name string
		ask  time.Time
		sets int // so far
		at   time.Time
	}{
		{"the first", base, 1, base},
		{"the same", base, 1, base},
		{"within the slack", base.Add(time.Second), 1, base},
		{"later", base.Add(time.Second + 1), 2, base.Add(time.Second + 1)},
		{"earlier", base, 3, base},
		{"none", time.Time{}, 4, time.Time{}},
		{"still none", time.Time{}, 4, time.Time{}},
		{"again", base, 5, base},
	} {
		_ = c.SetReadDeadline(base.Add(-time.Hour)) // nobody reads before the next
		_ = c.SetReadDeadline(step.ask)
		_ = c.SetWriteDeadline(step.ask)
		_, _ = c.Read(nil)
		_, _ = c.Write(nil)
		for _, got := range [][]time.Time{counting.reads, counting.writes} {
			if len(got) != step.sets || !got[len(got)-1].Equal(step.at) {
				t.Errorf("%s: deadlines set: %v; want %d, the last at %v", step.name, got, step.sets, step.at)
			}
		}
	}
}

func TestDeadlineEndsARead(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	c := newDeadlineConn(a, time.Millisecond, nil)
	_ = c.SetDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read: %v", err)
	}
	if _, err := c.Write(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write: %v", err)
	}
}
