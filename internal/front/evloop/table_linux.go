package evloop

import "sync/atomic"

// A table finds connections by their descriptors, without locks.
type table struct {
	pages [maxDescriptor / pageSize]atomic.Pointer[page]
	size  atomic.Int64
}

type page [pageSize]atomic.Pointer[conn]

const (
	maxDescriptor = 1 << 16
	pageSize      = 1 << 8
)

// holds reports whether a connection with that descriptor could be in t.
func (*table) holds(fd int) bool { return fd < maxDescriptor }

func (t *table) get(fd int) *conn {
	if p := t.pages[fd/pageSize].Load(); p != nil {
		return p[fd%pageSize].Load()
	}
	return nil
}

// set puts a connection in. One goroutine does.
func (t *table) set(fd int, c *conn) {
	p := t.pages[fd/pageSize].Load()
	if p == nil {
		p = new(page)
		t.pages[fd/pageSize].Store(p)
	}
	p[fd%pageSize].Store(c)
	t.size.Add(1)
}

// remove takes the connection out, and reports whether it was the last.
func (t *table) remove(fd int) (last bool) {
	t.pages[fd/pageSize].Load()[fd%pageSize].Store(nil)
	return t.size.Add(-1) == 0
}

// all calls f with each connection until it returns false.
func (t *table) all(f func(*conn) bool) {
	for i := range t.pages {
		p := t.pages[i].Load()
		if p == nil {
			continue
		}
		for j := range p {
			if c := p[j].Load(); c != nil && !f(c) {
				return
			}
		}
	}
}
