package evloop

import "sync"

// A task is a loop to lead or a request to answer.
type task struct {
	lead *loop
	conn *conn
	in   *inbox // with the request
}

// An inbox is a request and the memory that it is in.
type inbox struct {
	buf [inboxSize]byte
	req *Request
}

var inboxes = sync.Pool{New: func() any { return &inbox{req: newRequest()} }}

// A member is a goroutine of the crew. One that is told to exit gets a task without anything.
type member struct {
	s     *Server
	tasks chan task
	in    *inbox
	ans   Answer
}

// A crew is the goroutines that lead and answer. They stay when they have nothing to do: their stacks have grown.
type crew struct {
	s         *Server
	mu        sync.Mutex
	idle      []*member // the one that waits longest first
	dismissed bool
}

// spare is how many idle members stay for long.
const spare = 16

// do gives t to a member.
func (w *crew) do(t task) {
	w.mu.Lock()
	var m *member
	if n := len(w.idle); n > 0 {
		m = w.idle[n-1]
		w.idle = w.idle[:n-1]
	}
	w.mu.Unlock()
	if m == nil {
		m = &member{s: w.s, tasks: make(chan task, 1)}
		go m.work()
	}
	m.tasks <- t
}

// rest takes m among the idle ones, unless all have been dismissed.
func (w *crew) rest(m *member) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dismissed {
		return false
	}
	w.idle = append(w.idle, m)
	return true
}

// dismiss ends idle members until there are no more than keep; with 0 nobody rests any more.
func (w *crew) dismiss(keep int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dismissed = w.dismissed || keep == 0
	n := max(0, len(w.idle)-keep)
	for _, m := range w.idle[:n] {
		m.tasks <- task{}
	}
	w.idle = append(w.idle[:0], w.idle[n:]...)
}

func (m *member) work() {
	for t := range m.tasks {
		m.in = t.in
		switch {
		case t.lead != nil:
			m.in = inboxes.Get().(*inbox)
			m.lead(t.lead)
		case t.conn != nil:
			m.finish(t.conn, m.answer(t.conn))
		default:
			return
		}
		inboxes.Put(m.in)
		m.in = nil
		if !m.s.crew.rest(m) {
			return
		}
	}
}

// An outcome is what became of an event.
type outcome int

const (
	onward  outcome = iota
	given           // another member answers
	deposed         // another member leads the loop
)

// ready does what there is to do for a connection of which m, the leader of l, has an event.
func (m *member) ready(l *loop, c *conn, halfClosed bool) outcome {
	for mine := c.begin(halfClosed); mine && m.read(c); {
		if !m.s.lone() && m.s.cfg.Handler.Waits(m.in.req) {
			m.s.crew.do(task{conn: c, in: m.in})
			m.in = inboxes.Get().(*inbox)
			return given
		}
		turn := l.turn.Add(1)
		if !m.s.lone() {
			m.s.awake() // now: a watch that goes to sleep looks at the turns once more
		}
		mine = m.answer(c)
		if !l.turn.CompareAndSwap(turn, turn+1) {
			m.finish(c, mine)
			return deposed
		}
	}
	return onward
}

// finish goes on with a connection, if it is still m's, until it is nobody's.
func (m *member) finish(c *conn, mine bool) {
	for mine && m.read(c) {
		mine = m.answer(c)
	}
}

// read reads from m's connection, and reports whether a request has come whole. If not it is no longer m's.
func (m *member) read(c *conn) bool {
	for {
		had := copy(m.in.buf[:], c.in)
		n, err := rawRead(c.fd, m.in.buf[had:])
		got := m.in.buf[:had+max(n, 0)]
		switch {
		case again(err):
			n = 0
		case err != 0 || n == 0:
			c.drop()
			return false
		}
		if n > 0 {
			verdict := m.in.req.parse(got)
			switch {
			case verdict == whole && len(got) < inboxSize: // all that has come, or there would be an event of the rest
				c.in, c.fresh = nil, false
				return true
			case verdict == strange, max(len(got), m.in.req.size) > maxPartial:
				c.away(append([]byte(nil), got...))
				return false
			}
		}
		if !c.end(got) {
			return false
		}
	}
}

// answer serves the request in m's inbox, which is from c. It reports true if c is still m's and to be looked at again.
func (m *member) answer(c *conn) bool {
	a := &m.ans
	a.reset()
	a.Close = m.s.stopping.Load()
	m.s.cfg.Handler.Serve(m.in.req, a)
	alive := c.reply(a)
	m.s.cfg.Handler.Sent(a)
	if !alive {
		c.drop()
		return false
	}
	return c.end(nil)
}
