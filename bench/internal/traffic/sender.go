package traffic

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/grammedb/gramme/internal/bench/client"
)

// A sender sends at a steady rate and reads the answers, on one thread that waits in the kernel for whatever comes first.
type sender struct {
	job
	signer  *client.Signer
	conns   []*lane
	polled  []unix.PollFd // of each lane its connection; the last is the standard input, whose end is the sender's
	free    []*lane
	samples []sample
	body    []byte // with a stamp
}

// A lane is a connection and the call that is under way on it.
type lane struct {
	fd   int
	call sample
	out  []byte
	in   []byte
	got  int // bytes in in
}

func newSender(j job) (*sender, error) {
	if len(j.Bodies) == 0 || j.Rate <= 0 || j.Conns <= 0 {
		return nil, errors.New("nothing to send")
	}
	s := &sender{job: j, signer: client.NewSigner(j.Credentials, j.Host, "")}
	for range j.Conns {
		l, err := dial(j.Address)
		if err != nil {
			return nil, err
		}
		s.conns, s.free = append(s.conns, l), append(s.free, l)
		s.polled = append(s.polled, unix.PollFd{Fd: int32(l.fd), Events: unix.POLLIN})
	}
	s.polled = append(s.polled, unix.PollFd{Fd: int32(os.Stdin.Fd()), Events: unix.POLLIN})
	return s, nil
}

func dial(address string) (*lane, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	file, err := conn.(*net.TCPConn).File() // a descriptor of its own
	if err != nil {
		return nil, err
	}
	defer file.Close()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return &lane{fd: fd, in: make([]byte, 64<<10)}, unix.SetNonblock(fd, true)
}

// run sends until the standard input ends, and then waits for the answers that are missing.
func (s *sender) run() error {
	runtime.LockOSThread()
	prompt()
	s.samples = make([]sample, 0, 1<<20)
	gap := time.Second / time.Duration(s.Rate)
	over := false
	for due := time.Now(); !over || len(s.free) < len(s.conns); {
		var err error
		if due, err = s.sendDue(due, gap, over); err != nil {
			return err
		}
		over, err = s.wait(due, over)
		if err != nil {
			return err
		}
	}
	return nil
}

// prompt asks the kernel to run the thread as soon as it has something to do, as a client on a machine of its own would: with timers
// exact to the microsecond, and before all others. If that is a privilege it lacks it asks for turns as short as can be, for which it
// is let on sooner; Late tells how well that works.
func prompt() {
	const shortest = 100 * time.Microsecond
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	if unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}, 0) != nil {
		_ = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Runtime: uint64(shortest)}, 0)
	}
}

// sendDue sends what is due, as far as there are connections, and returns when the next call is.
func (s *sender) sendDue(due time.Time, gap time.Duration, over bool) (time.Time, error) {
	for now := time.Now(); !over && len(s.free) > 0 && !due.After(now); due = due.Add(gap) {
		s.signer.SetTime(now)
		l := s.free[0] // the one that has rested longest: a server may close a connection on which nothing comes
		s.free = s.free[:copy(s.free, s.free[1:])]
		l.out = s.signer.Append(l.out[:0], s.Operation, s.stamped(s.Bodies[rand.IntN(len(s.Bodies))], now))
		l.call = sample{Due: due, Sent: time.Since(due)}
		if n, err := unix.Write(l.fd, l.out); err != nil || n < len(l.out) {
			return due, fmt.Errorf("sent %d bytes of %d: %w", n, len(l.out), err)
		}
	}
	return due, nil
}

// stamped returns body with the time in it, if it holds a Stamp.
func (s *sender) stamped(body []byte, now time.Time) []byte {
	at := bytes.Index(body, []byte(Stamp))
	if at < 0 {
		return body
	}
	s.body = append(s.body[:0], body...)
	strconv.AppendInt(s.body[at:at], now.UnixNano(), 10)
	return s.body
}

// wait waits until something is due or has come in, which it takes in, and reports whether to end.
func (s *sender) wait(due time.Time, over bool) (bool, error) {
	var limit *unix.Timespec
	if len(s.free) > 0 && !over {
		ts := unix.NsecToTimespec(int64(max(0, time.Until(due))))
		limit = &ts
	}
	polled := s.polled
	if over {
		polled = polled[:len(s.conns)]
	}
	if _, err := unix.Ppoll(polled, limit, nil); err != nil {
		if err == unix.EINTR {
			return over, nil
		}
		return false, err
	}
	for i, l := range s.conns {
		if s.polled[i].Revents != 0 {
			if err := s.receive(l); err != nil {
				return false, err
			}
		}
	}
	return over || s.polled[len(s.conns)].Revents != 0, nil
}

// receive reads what has come in.
func (s *sender) receive(l *lane) error {
	n, err := unix.Read(l.fd, l.in[l.got:])
	if err == unix.EAGAIN || err == unix.EINTR {
		return nil
	}
	if err != nil || n == 0 {
		return fmt.Errorf("the server has closed a connection: %w", errors.Join(err, net.ErrClosed))
	}
	l.got += n
	var r client.Response
	whole, _, err := r.Parse(l.in[:l.got], false)
	if err != nil || !whole {
		return err
	}
	if l.call.Done = time.Since(l.call.Due); r.Status != http.StatusOK {
		return fmt.Errorf("%s: %d %s", s.Operation, r.Status, r.Body)
	}
	s.samples = append(s.samples, l.call)
	s.free = append(s.free, l)
	l.got = 0
	return nil
}
