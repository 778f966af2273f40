package expr

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/grammedb/gramme/internal/lang/attr"
)

const (
	maxText      = 4096 // bytes of an expression, counted before names are put in
	maxOperators = 300
	maxDepth     = 1024 // of nested parentheses, functions and NOTs; no valid expression comes near
	maxIndex     = math.MaxInt32
	maxPath      = attr.MaxLevels // elements of a document path: no item is deeper
)

// parse parses an expression of the kind given.
func parse(k kind, text string) (_ *parsed, err error) {
	switch {
	case text == "":
		return nil, k.fault("The expression can not be empty;")
	case len(text) > maxText:
		return nil, k.fault(fmt.Sprintf(
			"Expression size has exceeded the maximum allowed size; expression size: %d", len(text)))
	}
	p := &parser{text: text, tokens: lex(text), referred: map[string]int{}, out: &parsed{kind: k, text: text}}
	defer func() {
		if r := recover(); r != nil {
			syntax, ok := r.(syntaxError)
			if !ok {
				panic(r)
			}
			err = k.fault(string(syntax))
		}
	}()
	p.parse(k)
	if fault := p.fault(); fault != "" {
		return nil, k.fault(fault)
	}
	return p.out, p.out.prepare()
}

func (p *parser) parse(k kind) {
	switch k {
	case updateKind:
		p.update()
	case projectionKind:
		p.projection()
	default:
		n := p.condition()
		p.out.cond = &n
	}
	p.expect(tokEOF)
	p.out.sorted = slices.SortedFunc(slices.Values(p.out.refs), compareRefs)
	if p.operators > maxOperators {
		p.note(faultOperators, fmt.Sprintf("The expression contains too many operators; operator count: %d", p.operators))
	}
}

// Update expressions.

// update = section { section } .
func (p *parser) update() {
	var seen [len(verbNames)]bool
	for ok := true; ok; ok = p.peek() != tokEOF {
		v := p.section()
		if seen[v] {
			p.note(faultSection, "The \""+v.String()+"\" section can only be used once in an update expression;")
		}
		seen[v] = true
	}
}

// section = "SET" set { "," set } | "REMOVE" path { "," path } | ( "ADD" | "DELETE" ) change { "," change } .
func (p *parser) section() verb {
	var v verb
	switch p.peek() {
	case tokSet:
		v = verbSet
	case tokRemove:
		v = verbRemove
	case tokAdd:
		v = verbAdd
	case tokDelete:
		v = verbDelete
	default:
		p.fail()
	}
	for ok := true; ok; ok = p.peek() == tokComma {
		p.advance()
		p.action(v)
	}
	return v
}

// set = path "=" value .    change = path ":value" .
func (p *parser) action(v verb) {
	a := action{verb: v, target: p.path()}
	switch v {
	case verbSet:
		p.expect(tokEQ)
		n := p.value()
		a.value = &n
	case verbAdd, verbDelete:
		if p.peek() != tokValue {
			p.fail()
		}
		n := p.operand()
		a.value = &n
	}
	p.out.actions = append(p.out.actions, a)
}

// value = operand [ ( "+" | "-" ) operand ] | "(" value ")" .
// What is in parentheses can itself be the first operand, unless it is a sum.
func (p *parser) value() node {
	p.enter()
	defer p.leave()
	var left node
	if p.peek() == tokLeftParen {
		p.advance()
		left = p.value()
		p.expect(tokRightParen)
		if left.op == opPlus || left.op == opMinus {
			return left
		}
	} else {
		left = p.operand()
	}
	sum, ok := sums[p.peek()]
	if !ok {
		p.place(&left, opNone)
		return left
	}
	p.operator()
	right := p.operand()
	p.place(&left, sum)
	p.place(&right, sum)
	return node{op: sum, args: []node{left, right}}
}

var sums = map[tokenKind]op{tokPlus: opPlus, tokMinus: opMinus}

// Conditions. An operand in parentheses looks like a condition in parentheses until what follows it is seen, so a production
// called with loose set may return an operand, and then a ")" follows.

// condition = or .
func (p *parser) condition() node { return p.or(false) }

// or = and { "OR" and } .
func (p *parser) or(loose bool) node { return p.chain(opOr, tokOr, p.and, loose) }

// and = not { "AND" not } .
func (p *parser) and(loose bool) node { return p.chain(opAnd, tokAnd, p.not, loose) }

// chain parses elements joined by one operator into one node. Parentheses around a part of the chain make no difference
// and are dissolved.
func (p *parser) chain(o op, joint tokenKind, element func(loose bool) node, loose bool) node {
	first := element(loose)
	if p.peek() != joint {
		return first
	}
	all := node{op: o}
	all.adopt(first)
	for p.peek() == joint {
		p.operator()
		all.adopt(element(false))
	}
	return all
}

func (n *node) adopt(kid node) {
	if kid.op == n.op {
		n.args = append(n.args, kid.args...)
	} else {
		n.args = append(n.args, kid)
	}
}

// not = "NOT" not | primary .
func (p *parser) not(loose bool) node {
	if p.peek() != tokNot {
		return p.primary(loose)
	}
	p.enter()
	defer p.leave()
	p.operator()
	return node{op: opNot, args: []node{p.not(false)}}
}

// primary =
//
//	  operand comparator operand
//	| operand "BETWEEN" operand "AND" operand
//	| operand "IN" "(" operand { "," operand } ")"
//	| function
//	| "(" condition ")" .
func (p *parser) primary(loose bool) node {
	left := p.groupOrOperand()
	if left.op.isCondition() && !traits[left.op].function {
		return left
	}
	switch o, ok := comparators[p.peek()]; {
	case ok:
		p.operator()
		return p.comparison(o, left, p.operand())
	case p.peek() == tokBetween:
		p.operator()
		lower := p.operand()
		p.expect(tokAnd)
		return p.comparison(opBetween, left, lower, p.operand())
	case p.peek() == tokIn:
		p.operator()
		p.expect(tokLeftParen)
		list := p.operands()
		p.expect(tokRightParen)
		return p.comparison(opIn, append([]node{left}, list...)...)
	case loose && p.peek() == tokRightParen:
		return left
	case traits[left.op].function:
		if !left.op.isCondition() {
			p.note(faultMisplaced, misplaced(left.op))
		}
		return left
	}
	p.fail()
	return node{}
}

var comparators = map[tokenKind]op{
	tokEQ: opEQ, tokNE: opNE, tokLT: opLT, tokLE: opLE, tokGT: opGT, tokGE: opGE,
}

func (p *parser) comparison(o op, operands ...node) node {
	for i := range operands {
		p.place(&operands[i], o)
	}
	return node{op: o, args: operands}
}

// groupOrOperand parses an operand, or a condition or an operand in parentheses.
func (p *parser) groupOrOperand() node {
	if p.peek() != tokLeftParen {
		return p.operand()
	}
	return p.group(func() node { return p.or(true) })
}

// Operands.

// operands = operand { "," operand } .
func (p *parser) operands() []node {
	list := []node{p.operand()}
	for p.peek() == tokComma {
		p.advance()
		list = append(list, p.operand())
	}
	return list
}

// operand = path | ":value" | function | "(" operand ")" .
func (p *parser) operand() node {
	switch p.peek() {
	case tokLeftParen:
		return p.group(p.operand)
	case tokValue:
		return node{op: opValue, index: p.refer(p.advance())}
	case tokIdent:
		if p.tokens[p.at+1].kind == tokLeftParen {
			return p.call()
		}
	}
	return node{op: opPath, index: p.path()}
}

// group parses what inner parses, in parentheses.
func (p *parser) group(inner func() node) node {
	p.enter()
	defer p.leave()
	open := p.at
	p.expect(tokLeftParen)
	n := inner()
	p.expect(tokRightParen)
	g := span{open, p.at - 1}
	if p.closed == (span{g.open + 1, g.close - 1}) && p.out.kind != updateKind {
		p.note(faultParentheses, "The expression has redundant parentheses;")
	}
	p.closed = g
	return n
}

// function = bare "(" operand { "," operand } ")" .
func (p *parser) call() node {
	p.enter()
	defer p.leave()
	name := p.advance()
	o, known := functions[name]
	if !known {
		o = opUnknown
		p.note(faultFunctionName, "Invalid function name; function: "+name)
	}
	p.expect(tokLeftParen)
	n := node{op: o, args: p.operands()}
	p.expect(tokRightParen)
	for i := range n.args {
		p.place(&n.args[i], o)
	}
	return n
}

// place notes an operand that cannot stand below its parent.
func (p *parser) place(n *node, parent op) {
	if !n.op.canStandIn(parent, p.out.kind) {
		p.note(faultMisplaced, misplaced(n.op))
	}
}

// Paths.

// projection = path { "," path } .
func (p *parser) projection() {
	p.path()
	for p.peek() == tokComma {
		p.advance()
		p.path()
	}
}

// path = name { "." name | "[" digits "]" } . It returns the index of the path.
func (p *parser) path() int {
	path := Path{p.name()}
	for {
		switch p.peek() {
		case tokDot:
			p.advance()
			path = append(path, p.name())
		case tokLeftBracket:
			p.advance()
			path = append(path, p.listIndex())
			p.expect(tokRightBracket)
		default:
			if len(path) > maxPath {
				p.note(faultDepth, fmt.Sprintf("The document path has too many nesting elements; nesting levels: %d", len(path)))
			}
			p.out.paths = append(p.out.paths, path)
			p.out.steps += len(path)
			return len(p.out.paths) - 1
		}
	}
}

// name = bare | "#name" .
func (p *parser) name() Step {
	switch p.peek() {
	case tokIdent:
		name := p.advance()
		if isReserved(name) {
			p.note(faultReserved, "Attribute name is a reserved keyword; reserved keyword: "+name)
		}
		return Step{Name: name}
	case tokName:
		name := p.advance()
		p.refer(name)
		p.out.named = true
		return Step{Name: name}
	}
	p.fail()
	return Step{}
}

func (p *parser) listIndex() Step {
	if p.peek() != tokDigits {
		p.fail()
	}
	digits := p.advance()
	i, err := strconv.Atoi(digits)
	if err != nil || i > maxIndex {
		p.note(faultIndex, "List index is not within the allowable range; index: ["+digits+"]")
	}
	return Step{Index: i, IsIndex: true}
}
