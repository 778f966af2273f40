package partiql

import (
	"strings"

	"github.com/grammedb/gramme/internal/lang/attr"
)

// Expressions. A condition and an operand are told apart when they are put to use: before, "(a)" could be either.

// want leaves if n is not a condition, or is one where an operand stands.
func (p *parser) want(n *node, condition bool) {
	switch {
	case n.op.isCondition() == condition:
	case condition:
		p.fail("Expected condition")
	default:
		p.fail("Unexpected condition")
	}
}

// operand parses an expression that is no condition.
func (p *parser) operand() node {
	n := p.sum()
	p.want(&n, false)
	return n
}

// or = and { "OR" and } .
func (p *parser) or() node { return p.chain(opOr, p.and) }

// and = not { "AND" not } .
func (p *parser) and() node { return p.chain(opAnd, p.not) }

// chain parses elements joined by one operator into one node. Parentheses around a part of the chain make no difference
// and are dissolved.
func (p *parser) chain(o op, element func() node) node {
	first := element()
	if !p.is(traits[o].name) {
		return first
	}
	p.want(&first, true)
	all := node{op: o}
	all.adopt(first)
	for p.acceptWord(traits[o].name) {
		next := element()
		p.want(&next, true)
		all.adopt(next)
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

// not = "NOT" not | predicate .
func (p *parser) not() node {
	if !p.acceptWord("NOT") {
		return p.predicate()
	}
	p.enter()
	defer p.leave()
	n := p.not()
	p.want(&n, true)
	return negation(n)
}

func negation(n node) node { return node{op: opNot, args: []node{n}} }

var comparators = map[tokenKind]op{tokEQ: opEQ, tokNE: opNE, tokLT: opLT, tokLE: opLE, tokGT: opGT, tokGE: opGE}

// predicate =
//
//	  sum [ comparator sum ]
//	| sum [ "NOT" ] "BETWEEN" sum "AND" sum
//	| sum [ "NOT" ] "IN" list
//	| sum "IS" [ "NOT" ] ( "MISSING" | type ) .
func (p *parser) predicate() node {
	left := p.sum()
	if o, ok := comparators[p.peek()]; ok {
		p.advance()
		return p.comparison(o, left, p.operand())
	}
	if p.acceptWord("IS") {
		not := p.acceptWord("NOT")
		return maybe(not, p.comparison(p.isOp(), left))
	}
	not := p.is("NOT")
	if not {
		p.advance()
	}
	switch {
	case p.is("LIKE"):
		p.refuse("Unsupported operator: LIKE")
	case p.acceptWord("BETWEEN"):
		lower := p.operand()
		p.expectWords("AND")
		return maybe(not, p.comparison(opBetween, left, lower, p.operand()))
	case p.acceptWord("IN"):
		return maybe(not, p.comparison(opIn, append([]node{left}, p.list()...)...))
	case not:
		p.fail("Expected BETWEEN or IN")
	}
	return left
}

func maybe(not bool, n node) node {
	if not {
		return negation(n)
	}
	return n
}

// comparison makes a condition of operands. An opIs takes its type from the token just passed.
func (p *parser) comparison(o op, operands ...node) node {
	p.want(&operands[0], false)
	n := node{op: o, args: operands}
	if o == opIs {
		t := p.tokens[p.at-1]
		n.typ = types[strings.ToUpper(p.text[t.start:t.end])]
	}
	return n
}

// isOp passes over what stands behind IS.
func (p *parser) isOp() op {
	if p.acceptWord("MISSING") {
		return opIsMissing
	}
	if k := p.peek(); k != tokReserved && k != tokWord || types[strings.ToUpper(p.word())] == attr.Missing {
		p.fail("Expected type name")
	}
	p.advance()
	return opIs
}

// list = "(" operand { "," operand } ")" | "[" ... "]" | "<<" ... ">>" | "?" .
func (p *parser) list() []node {
	var list []node
	switch p.peek() {
	case tokLeftParen:
		p.advance()
		list = p.elements(tokRightParen, ")")
	case tokLeftBracket:
		p.advance()
		list = p.elements(tokRightBracket, "]")
	case tokLeftSet:
		p.advance()
		list = p.elements(tokRightSet, ">>")
	case tokParam:
		return []node{{op: opSpread, args: []node{p.primary()}}}
	}
	if list == nil {
		p.fail("Expected list of values")
	}
	return list
}

// sum = primary { ( "+" | "-" ) primary } .
func (p *parser) sum() node {
	left := p.primary()
	for {
		o := opPlus
		switch p.peek() {
		case tokPlus:
		case tokMinus:
			o = opMinus
		default:
			return left
		}
		p.advance()
		right := p.primary()
		p.want(&left, false)
		p.want(&right, false)
		left = node{op: o, args: []node{left, right}}
	}
}

// primary = [ "+" | "-" ] number | string | "TRUE" | "FALSE" | "NULL" | "?" | list | set | map | path | function | "(" condition ")" .
func (p *parser) primary() node {
	p.enter()
	defer p.leave()
	switch p.peek() {
	case tokPlus, tokMinus, tokNumber:
		return p.number()
	case tokString:
		return valueNode(attr.String(unquote(p.advance())))
	case tokParam:
		p.advance()
		p.out.params++
		return node{op: opParam, param: p.out.params - 1}
	case tokLeftBracket, tokLeftSet, tokLeftBrace:
		return p.composed()
	case tokLeftParen:
		p.advance()
		n := p.or()
		p.expect(tokRightParen, ")")
		return n
	}
	return p.named()
}

// named parses what starts with a word.
func (p *parser) named() node {
	switch {
	case p.acceptWord("TRUE"):
		return valueNode(attr.Boolean(true))
	case p.acceptWord("FALSE"):
		return valueNode(attr.Boolean(false))
	case p.acceptWord("NULL"):
		return valueNode(attr.Null())
	case (p.peek() == tokWord || p.peek() == tokReserved) && p.peekNext() == tokLeftParen:
		return p.call()
	}
	return node{op: opPath, path: p.path()}
}

func valueNode(v attr.Value) node { return node{op: opValue, value: v} }

func (p *parser) number() node {
	sign := ""
	if p.accept(tokMinus) {
		sign = "-"
	} else {
		p.accept(tokPlus)
	}
	if p.peek() != tokNumber {
		p.fail("Unexpected term")
	}
	v, err := attr.Number(sign + p.advance())
	if err != nil {
		p.refuse(err.Error())
	}
	return valueNode(v)
}

// composed parses a value made of values. It counts their levels, because each costs a copy of what is in it.
func (p *parser) composed() node {
	if p.levels++; p.levels > maxLevels {
		panic(tooNested)
	}
	defer func() { p.levels-- }()
	switch p.peek() {
	case tokLeftBracket:
		p.advance()
		return node{op: opList, args: p.elements(tokRightBracket, "]")}
	case tokLeftSet:
		p.advance()
		return node{op: opSet, args: p.elements(tokRightSet, ">>")}
	}
	return p.structure()
}

// elements = [ operand { "," operand } ] and the token that closes them.
func (p *parser) elements(closing tokenKind, what string) []node {
	if p.accept(closing) {
		return nil
	}
	list := []node{p.operand()}
	for p.accept(tokComma) {
		list = append(list, p.operand())
	}
	p.expect(closing, "comma or "+what)
	return list
}

// map = "{" [ string ":" operand { "," string ":" operand } ] "}" .
func (p *parser) structure() node {
	n := node{op: opMap}
	p.expect(tokLeftBrace, "{")
	if p.accept(tokRightBrace) {
		return n
	}
	for ok := true; ok; ok = p.accept(tokComma) {
		if p.peek() != tokString {
			p.fail("Expected attribute name in single quotation marks")
		}
		n.names = append(n.names, unquote(p.advance()))
		p.expect(tokColon, ":")
		n.args = append(n.args, p.operand())
	}
	p.expect(tokRightBrace, "comma or }")
	return n
}

// function = word "(" operand { "," operand } ")" .
func (p *parser) call() node {
	o, ok := function(p.word())
	if !ok {
		p.refuse("Invalid function name; function: " + p.word())
	}
	p.advance()
	p.expect(tokLeftParen, "(")
	return node{op: o, args: p.elements(tokRightParen, ")")}
}
