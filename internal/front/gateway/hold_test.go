package gateway

import (
	"io"
	"net"
	"testing"
	"time"
)

// tcpPair returns the two ends of a connection.
func tcpPair(t *testing.T) (a, b net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if a, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = a.Close()
		_ = b.Close()
	})
	return a, b
}

// What was held leaves with what is written next, and nothing else is delayed.
func TestHeldWrite(t *testing.T) {
	a, b := tcpPair(t)
	c := newDeadlineConn(a, time.Second, nil)
	write := func(text string) {
		if n, err := c.Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("writing %q: %d, %v", text, n, err)
		}
	}
	for range 3 {
		write("1")
		c.hold.next = true
		header := []byte("23")
		if n, err := c.Write(header); n != 2 || err != nil {
			t.Errorf("held: %d, %v", n, err)
		}
		copy(header, "xx") // its owner may use it again
		c.hold.next = true
		write("4")
		write("56")
		write("7")
	}
	a.Close()
	if _, err := c.Write([]byte("8")); err == nil {
		t.Error("a closed connection takes bytes")
	}
	if got, err := io.ReadAll(b); string(got) != "123456712345671234567" || err != nil {
		t.Errorf("%s arrived, %v", got, err)
	}
}

func TestHeldWriteAllocatesNothing(t *testing.T) {
	a, b := tcpPair(t)
	go func() { _, _ = io.Copy(io.Discard, b) }()
	c := newDeadlineConn(a, time.Second, nil)
	header, body := []byte("header"), make([]byte, 10_000)
	send := func() {
		c.hold.next = true
		_, _ = c.Write(header)
		if _, err := c.Write(body); err != nil {
			t.Error(err)
		}
	}
	if n := testing.AllocsPerRun(100, send); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
