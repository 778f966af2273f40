package workload

import (
	"bytes"
	"iter"

	"github.com/grammedb/gramme/internal/lib/jsontok"
)

// A tree is a JSON text. It keeps its memory from one text to the next: encoding/json would take many times as long as the
// server that is measured on the same machine.
type tree struct {
	reader jsontok.Reader
	nodes  []node
	text   []byte // of names, strings and numbers
}

type node struct {
	kind        jsontok.Kind
	name, text  span
	child, next int32 // -1: none
	count       int32 // of children
}

type span struct{ from, to int32 }

// A value is a place in a tree. The zero value is that of what is not there.
type value struct {
	t *tree
	i int32
}

// parse reads a text. ok is false if it is not JSON.
func (t *tree) parse(b []byte) (root value, ok bool) {
	t.reader.Reset(b)
	t.nodes, t.text = t.nodes[:0], t.text[:0]
	i := t.add(t.reader.Next(), span{})
	return value{t, i}, i >= 0 && t.reader.Next() == jsontok.EOF
}

// add reads the value that begins with a token of kind k; -1: malformed.
func (t *tree) add(k jsontok.Kind, name span) int32 {
	i := int32(len(t.nodes))
	t.nodes = append(t.nodes, node{kind: k, name: name, child: -1, next: -1})
	switch k {
	case jsontok.Bad, jsontok.EOF:
		return -1
	case jsontok.String, jsontok.Number:
		t.nodes[i].text = t.keep()
	case jsontok.Object, jsontok.Array:
		return t.addChildren(i)
	}
	return i
}

func (t *tree) addChildren(i int32) int32 {
	end, before := jsontok.EndArr, int32(-1)
	if t.nodes[i].kind == jsontok.Object {
		end = jsontok.EndObj
	}
	for k := t.reader.Next(); k != end; k = t.reader.Next() {
		var name span
		if end == jsontok.EndObj {
			if k != jsontok.String {
				return -1
			}
			name = t.keep()
			k = t.reader.Next()
		}
		c := t.add(k, name)
		if c < 0 {
			return -1
		}
		if before < 0 {
			t.nodes[i].child = c
		} else {
			t.nodes[before].next = c
		}
		t.nodes[i].count++
		before = c
	}
	return i
}

// keep copies the string or number just read.
func (t *tree) keep() span {
	from := len(t.text)
	t.text = append(t.text, t.reader.Bytes()...)
	return span{int32(from), int32(len(t.text))}
}

func (v value) node() *node { return &v.t.nodes[v.i] }

func (v value) exists() bool { return v.t != nil }

// name returns the name of a member.
func (v value) name() []byte { n := v.node().name; return v.t.text[n.from:n.to] }

// bytes returns the content of a string or number, nil for all else.
func (v value) bytes() []byte {
	if !v.exists() {
		return nil
	}
	n := v.node().text
	return v.t.text[n.from:n.to]
}

// len returns the number of members or elements.
func (v value) len() int {
	if !v.exists() {
		return 0
	}
	return int(v.node().count)
}

// all yields the members or elements.
func (v value) all() iter.Seq[value] {
	return func(yield func(value) bool) {
		if !v.exists() {
			return
		}
		for i := v.node().child; i >= 0; i = v.t.nodes[i].next {
			if !yield(value{v.t, i}) {
				return
			}
		}
	}
}

// get returns a member of an object.
func (v value) get(name string) value {
	for m := range v.all() {
		if string(m.name()) == name {
			return m
		}
	}
	return value{}
}

// equal compares two values; the order of members does not matter.
func (v value) equal(w value) bool {
	if !v.exists() || !w.exists() || v.node().kind != w.node().kind || v.len() != w.len() || !bytes.Equal(v.bytes(), w.bytes()) {
		return false
	}
	other := w.node().child
	for m := range v.all() {
		if v.node().kind == jsontok.Object {
			if !m.equal(w.get(string(m.name()))) {
				return false
			}
			continue
		}
		if !m.equal(value{w.t, other}) {
			return false
		}
		other = w.t.nodes[other].next
	}
	return true
}
