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
	in    *inbox // of the leader
	ans   Answer
}

// A crew is the goroutines that lead and answer. They stay when they have nothing to do: their stacks have grown.
type crew struct {
	mu        sync.Mutex
	s         *Server
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
		switch {
		case t.lead != nil:
			m.in = inboxes.Get().(*inbox)
			m.lead(t.lead)
			inboxes.Put(m.in)
			m.in = nil
		case t.conn != nil:
			m.answer(t.conn, t.in.req)
			inboxes.Put(t.in)
		default:
			return
		}
		if !m.s.crew.rest(m) {
			return
		}
	}
}

// ready reads from a connection of the loop that m leads and does what there is to do.
func (m *member) ready(c *conn) outcome {
	if !c.begin() {
		return onward
	}
	buf := m.in.buf[:]
	had := copy(buf, c.in)
	n, err := rawRead(c.fd, buf[had:])
	switch {
	case again(err):
		c.end()
		return onward
	case err != 0 || n == 0:
		c.drop()
		return onward
	}
	got := buf[:had+n]
	switch req := m.in.req; req.parse(got) {
	case whole:
		c.in, c.fresh = nil, false
		return m.serve(c, req)
	case partial:
		if max(len(got), req.size) <= maxPartial {
			c.keep(got)
			return onward
		}
	}
	c.away(append([]byte(nil), got...))
	return onward
}

// serve answers a request on the spot or gives it to another member.
func (m *member) serve(c *conn, req *Request) outcome {
	if m.s.cfg.Handler.Waits(req) {
		m.s.crew.do(task{conn: c, in: m.in})
		m.in = inboxes.Get().(*inbox)
		return given
	}
	turn := c.l.turn.Add(1)
	m.answer(c, req)
	if !c.l.turn.CompareAndSwap(turn, turn+1) {
		return deposed
	}
	return onward
}

// answer serves a request from its connection, which becomes the loop's again.
func (m *member) answer(c *conn, req *Request) {
	a := &m.ans
	a.reset()
	a.Close = m.s.stopping.Load()
	m.s.cfg.Handler.Serve(req, a)
	alive := c.reply(a)
	m.s.cfg.Handler.Sent(a)
	if alive {
		c.end()
	} else {
		c.drop()
	}
}
