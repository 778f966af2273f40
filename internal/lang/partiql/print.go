package partiql

import (
	"fmt"
	"strings"

	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
	"github.com/grammedb/gramme/internal/lib/decimal"
)

// String returns the statement in its plainest form: keywords in upper case, all names quoted, single spaces, and parentheses
// only where precedence asks for them. Parsing it gives an equal statement.
func (s *Statement) String() string {
	var w printer
	switch s.Kind {
	case Select:
		w.selection(s)
	case Exists:
		w.WriteString("EXISTS(")
		w.selection(s)
		w.WriteString(")")
	case Insert:
		w.table("INSERT INTO ", s)
		w.WriteString(" VALUE ")
		w.node(s.item)
	case Update:
		w.table("UPDATE ", s)
		w.actions(s.actions)
		w.where(s)
	case Delete:
		w.table("DELETE FROM ", s)
		w.where(s)
	}
	return w.String()
}

type printer struct{ strings.Builder }

func (w *printer) table(before string, s *Statement) {
	w.WriteString(before + quote(s.Table, `"`))
	if s.Index != "" {
		w.WriteString("." + quote(s.Index, `"`))
	}
}

func (w *printer) selection(s *Statement) {
	w.WriteString("SELECT ")
	if s.paths == nil {
		w.WriteString("*")
	}
	for i, p := range s.paths {
		w.separate(i, ", ")
		w.path(p)
	}
	w.table(" FROM ", s)
	w.where(s)
	for i, o := range s.order {
		if i == 0 {
			w.WriteString(" ORDER BY ")
		}
		w.separate(i, ", ")
		w.path(o.path)
		if o.descending {
			w.WriteString(" DESC")
		}
	}
}

func (w *printer) actions(list []action) {
	for i, a := range list {
		switch {
		case i > 0 && (a.value == nil) == (list[i-1].value == nil):
			w.WriteString(", ")
		case a.value == nil:
			w.WriteString(" REMOVE ")
		default:
			w.WriteString(" SET ")
		}
		w.path(a.target)
		if a.value != nil {
			w.WriteString(" = ")
			w.node(a.value)
		}
	}
}

func (w *printer) where(s *Statement) {
	if s.where != nil {
		w.WriteString(" WHERE ")
		w.node(s.where)
	}
	if s.ReturnValues != "" {
		which, when, _ := strings.Cut(s.ReturnValues, "_")
		if which == "UPDATED" {
			which = "MODIFIED"
		}
		w.WriteString(" RETURNING " + which + " " + when + " *")
	}
}

func (w *printer) node(n *node) {
	t := &traits[n.op]
	switch {
	case t.function:
		w.WriteString(t.name)
		w.list("(", n.args, ")")
		return
	case w.constant(n):
		return
	}
	switch n.op {
	case opPath:
		w.path(n.path)
	case opNot:
		w.WriteString("NOT ")
		w.tight(n, &n.args[0])
	case opIsMissing:
		w.tight(n, &n.args[0])
		w.WriteString(" IS MISSING")
	case opIs:
		w.tight(n, &n.args[0])
		w.WriteString(" IS " + typeNames[n.typ])
	case opBetween:
		w.join(n, n.args[:2], " BETWEEN ")
		w.WriteString(" AND ")
		w.tight(n, &n.args[2])
	case opIn:
		w.in(n)
	case opPlus, opMinus:
		w.node(&n.args[0])
		w.WriteString(" " + t.name + " ")
		w.tighter(n, &n.args[1])
	default:
		w.join(n, n.args, " "+t.name+" ")
	}
}

// constant prints what is no operator, function or path; it reports whether n was that.
func (w *printer) constant(n *node) bool {
	switch n.op {
	case opValue:
		w.value(n.value)
	case opParam:
		w.WriteString("?")
	case opList:
		w.list("[", n.args, "]")
	case opSet:
		w.list("<<", n.args, ">>")
	case opMap:
		w.WriteString("{")
		for i := range n.args {
			w.separate(i, ", ")
			w.WriteString(quote(n.names[i], "'") + ": ")
			w.node(&n.args[i])
		}
		w.WriteString("}")
	default:
		return false
	}
	return true
}

func (w *printer) in(n *node) {
	w.tight(n, &n.args[0])
	w.WriteString(" IN ")
	if n.args[1].op == opSpread {
		w.WriteString("?")
		return
	}
	w.list("(", n.args[1:], ")")
}

// tight prints an operand of n, in parentheses if it binds less tightly than n does.
func (w *printer) tight(n, operand *node) {
	w.enclosed(operand, precedence(operand.op) < precedence(n.op))
}

// tighter is tight for an operand that has to bind more tightly than n does.
func (w *printer) tighter(n, operand *node) {
	w.enclosed(operand, precedence(operand.op) <= precedence(n.op))
}

func (w *printer) enclosed(n *node, parentheses bool) {
	if !parentheses {
		w.node(n)
		return
	}
	w.WriteString("(")
	w.node(n)
	w.WriteString(")")
}

func precedence(o op) int {
	switch {
	case o == opOr:
		return 1
	case o == opAnd:
		return 2
	case o == opNot:
		return 3
	case o == opPlus || o == opMinus:
		return 5
	case o.isCondition() && !traits[o].function:
		return 4
	}
	return 6
}

func (w *printer) join(n *node, operands []node, separator string) {
	for i := range operands {
		w.separate(i, separator)
		w.tight(n, &operands[i])
	}
}

func (w *printer) list(before string, operands []node, after string) {
	w.WriteString(before)
	for i := range operands {
		w.separate(i, ", ")
		w.node(&operands[i])
	}
	w.WriteString(after)
}

// value prints a scalar: larger values are made of it only when parameters are bound.
func (w *printer) value(v attr.Value) {
	switch v.Type() {
	case attr.S:
		w.WriteString(quote(string(v.Bytes()), "'"))
	case attr.N:
		w.Write(decimal.AppendText(nil, v.Bytes()))
	case attr.BOOL:
		w.WriteString(strings.ToUpper(fmt.Sprint(v.Bool())))
	default:
		w.WriteString("NULL")
	}
}

func (w *printer) path(p expr.Path) {
	for i, s := range p {
		if s.IsIndex {
			fmt.Fprintf(w, "[%d]", s.Index)
			continue
		}
		w.separate(i, ".")
		w.WriteString(quote(s.Name, `"`))
	}
}

func quote(text, mark string) string { return mark + strings.ReplaceAll(text, mark, mark+mark) + mark }

// separate writes the separator in front of all elements but the first.
func (w *printer) separate(i int, separator string) {
	if i > 0 {
		w.WriteString(separator)
	}
}
