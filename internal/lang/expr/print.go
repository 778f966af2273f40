package expr

import (
	"fmt"
	"strings"
)

// String returns the expression in its plainest form: keywords in upper case, single spaces, and parentheses only where
// precedence asks for them. Parsing it gives an equal tree.
func (p *parsed) String() string {
	w := printer{paths: p.paths, values: p.values}
	switch p.kind {
	case updateKind:
		w.update(p.actions)
	case projectionKind:
		for i := range p.paths {
			w.separate(i, ", ")
			w.path(i)
		}
	default:
		w.node(p.cond)
	}
	return w.String()
}

// String returns the condition with its names and values put in.
func (c *Condition) String() string {
	w := c.printer()
	w.node(c.root)
	return w.String()
}

// String returns the update with its names and values put in.
func (u *Update) String() string {
	w := u.printer()
	w.update(u.actions)
	return w.String()
}

func (b *binding) printer() *printer {
	w := &printer{paths: b.paths}
	for _, v := range b.values {
		w.values = append(w.values, v.String())
	}
	return w
}

type printer struct {
	strings.Builder
	paths  []Path
	values []string
}

func (w *printer) update(actions []action) {
	for i, a := range actions {
		if i > 0 && a.verb == actions[i-1].verb {
			w.WriteString(", ")
		} else {
			w.separate(i, " ")
			w.WriteString(a.verb.String() + " ")
		}
		w.path(a.target)
		switch a.verb {
		case verbSet:
			w.WriteString(" = ")
			w.node(a.value)
		case verbAdd, verbDelete:
			w.WriteString(" ")
			w.node(a.value)
		}
	}
}

func (w *printer) node(n *node) {
	t := &traits[n.op]
	switch {
	case n.op == opPath:
		w.path(n.index)
	case n.op == opValue:
		w.WriteString(w.values[n.index])
	case t.function:
		w.WriteString(t.name)
		w.list(n.args)
	case n.op == opNot:
		w.WriteString("NOT ")
		w.tight(n, &n.args[0])
	case n.op == opBetween:
		w.join(n, n.args[:2], " BETWEEN ")
		w.WriteString(" AND ")
		w.node(&n.args[2])
	case n.op == opIn:
		w.node(&n.args[0])
		w.WriteString(" IN ")
		w.list(n.args[1:])
	default:
		w.join(n, n.args, " "+t.name+" ")
	}
}

// tight prints an operand of n, in parentheses if it binds no tighter than n does.
func (w *printer) tight(n, operand *node) {
	if precedence(operand.op) < precedence(n.op) {
		w.WriteString("(")
		w.node(operand)
		w.WriteString(")")
		return
	}
	w.node(operand)
}

func precedence(o op) int {
	switch o {
	case opOr:
		return 1
	case opAnd:
		return 2
	case opNot:
		return 3
	}
	return 4
}

func (w *printer) join(n *node, operands []node, separator string) {
	for i := range operands {
		w.separate(i, separator)
		w.tight(n, &operands[i])
	}
}

func (w *printer) list(operands []node) {
	w.WriteString("(")
	for i := range operands {
		w.separate(i, ", ")
		w.node(&operands[i])
	}
	w.WriteString(")")
}

func (w *printer) path(index int) {
	for i, s := range w.paths[index] {
		if s.IsIndex {
			fmt.Fprintf(w, "[%d]", s.Index)
			continue
		}
		w.separate(i, ".")
		w.WriteString(s.Name)
	}
}

// separate writes the separator in front of all elements but the first.
func (w *printer) separate(i int, separator string) {
	if i > 0 {
		w.WriteString(separator)
	}
}
