package expr

import (
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lib/decimal"
)

const maxInOperands = 100 // of the list of IN

// check checks a tree against what it is bound to: numbers of operands, and the types of those that come from the request.
// It returns the tail of an error text; of several faults that of the first innermost operation.
func (b *binding) check(n *node) string {
	t := &traits[n.op]
	for i := range n.args {
		if fault := b.check(&n.args[i]); fault != "" {
			return fault
		}
	}
	switch {
	case t.function && len(n.args) != t.operands:
		return fmt.Sprintf("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d",
			t.name, len(n.args))
	case n.op == opIn && len(n.args)-1 > maxInOperands:
		return fmt.Sprintf("The IN operator is provided with too many operands; number of operands: %d", len(n.args)-1)
	case t.path && n.args[0].op != opPath:
		return "Operator or function requires a document path; operator or function: " + t.name
	case n.op == opAttributeType:
		return b.checkTypeName(&n.args[1])
	}
	if t.types != 0 {
		for i := range n.args {
			if found := b.staticType(&n.args[i]); found != attr.Missing && !t.types.has(found) {
				return operandFault(t.name, found.String())
			}
		}
	}
	if t.distinct {
		if fault := b.checkDistinct(n); fault != "" {
			return fault
		}
	}
	if n.op == opBetween {
		return b.checkBounds(&n.args[1], &n.args[2])
	}
	return ""
}

func operandFault(name, found string) string {
	return "Incorrect operand type for operator or function; operator or function: " + name + ", operand type: " + found
}

// staticType returns the type that an operand is known to have before an item is seen, Missing if none is.
func (b *binding) staticType(n *node) attr.Type {
	switch n.op {
	case opValue:
		return b.values[n.index].Type()
	case opSize, opPlus, opMinus:
		return attr.N
	case opListAppend:
		return attr.L
	}
	return attr.Missing
}

// checkTypeName checks the second operand of attribute_type, which must be a value that names a type.
func (b *binding) checkTypeName(n *node) string {
	if n.op == opPath {
		return operandFault(traits[opAttributeType].name, "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
	}
	if t := b.staticType(n); t != attr.S {
		return operandFault(traits[opAttributeType].name, t.String())
	}
	name := string(b.values[n.index].Bytes())
	if attr.ParseType(name) == attr.Missing {
		return "Invalid attribute type name found; type: " + name + ", valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
	}
	return ""
}

// checkDistinct refuses a first operand that is the same path as another.
func (b *binding) checkDistinct(n *node) string {
	first := &n.args[0]
	if first.op != opPath {
		return ""
	}
	path := b.paths[first.index]
	for i := range n.args[1:] {
		other := &n.args[i+1]
		if other.op == opPath && slices.Equal(path, b.paths[other.index]) {
			return "The first operand must be distinct from the remaining operands for this operator or function; operator: " +
				traits[n.op].name + ", first operand: " + path.String()
		}
	}
	return ""
}

// checkBounds checks the bounds of BETWEEN against each other if both come from the request.
func (b *binding) checkBounds(lower, upper *node) string {
	if lower.op != opValue || upper.op != opValue {
		return ""
	}
	lo, up := b.values[lower.index], b.values[upper.index]
	order, comparable := attr.Compare(lo, up)
	rule := ""
	switch {
	case !comparable:
		rule = "The BETWEEN operator requires same data type for lower and upper bounds"
	case order > 0:
		rule = "The BETWEEN operator requires upper bound to be greater than or equal to lower bound"
	default:
		return ""
	}
	return fmt.Sprintf("%s; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s",
		rule, show(lo), show(up))
}

// show prints a scalar as error texts do: {N:2}.
func show(v attr.Value) string {
	text := string(v.Bytes())
	switch v.Type() {
	case attr.N:
		text = string(decimal.AppendText(nil, v.Bytes()))
	case attr.B:
		text = base64.StdEncoding.EncodeToString(v.Bytes())
	}
	return "{" + v.Type().String() + ":" + text + "}"
}
