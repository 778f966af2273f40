package partiql

import (
	"strings"

	"github.com/grammedb/gramme/internal/lang/expr"
)

// A parser is a recursive-descent parser with a method for each production of the grammar. It leaves by a panic with the
// *expr.Error to be told.
type parser struct {
	text   string
	tokens []token
	at     int // of the current token
	depth  int
	levels int // of the value that is being composed
	out    *Statement
}

// malformed begins the texts of syntax errors.
const malformed = "Statement wasn't well formed, can't be processed: "

// peek returns the kind of the current token.
func (p *parser) peek() tokenKind { return p.tokens[p.at].kind }

// peekNext returns the kind of the token behind the current one. REQUIRES: the current one is not the last.
func (p *parser) peekNext() tokenKind { return p.tokens[p.at+1].kind }

// word returns the text of the current token.
func (p *parser) word() string {
	t := p.tokens[p.at]
	return p.text[t.start:t.end]
}

// advance passes over the current token and returns its text. REQUIRES: it is not the last.
func (p *parser) advance() string {
	text := p.word()
	p.at++
	return text
}

// accept passes over the current token if it is of the kind.
func (p *parser) accept(k tokenKind) bool {
	if p.peek() != k {
		return false
	}
	p.at++
	return true
}

// expect passes over a token of the kind; what names it.
func (p *parser) expect(k tokenKind, what string) {
	if !p.accept(k) {
		p.fail("Expected " + what)
	}
}

// is reports whether the current token is the keyword. Some keywords are not reserved and name attributes elsewhere.
func (p *parser) is(keyword string) bool {
	return (p.peek() == tokReserved || p.peek() == tokWord) && strings.EqualFold(p.word(), keyword)
}

// acceptWord passes over the current token if it is the keyword.
func (p *parser) acceptWord(keyword string) bool {
	if !p.is(keyword) {
		return false
	}
	p.at++
	return true
}

// expectWords passes over the keywords.
func (p *parser) expectWords(keywords ...string) {
	for _, k := range keywords {
		if !p.acceptWord(k) {
			p.fail("Expected keyword " + k)
		}
	}
}

// enter and leave count how deep the parser is in nested constructs.
func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail("Nested too deeply")
	}
}

func (p *parser) leave() { p.depth-- }

// refuse leaves with a fault that is not one of syntax.
func (p *parser) refuse(text string) { panic(fault(text)) }

// fail reports the current token with its neighbours.
func (p *parser) fail(reason string) {
	t := p.tokens[p.at]
	text := p.word()
	if t.kind == tokEOF {
		text = "<EOF>"
	}
	first, last := p.tokens[max(p.at-1, 0)], p.tokens[min(p.at+1, len(p.tokens)-1)]
	near := strings.TrimSpace(p.text[first.start:last.end])
	p.refuse(malformed + reason + "; token: " + text + ", near: " + near)
}

// recovered turns a panic of the parser into its error.
func recovered(r any) *expr.Error {
	if r == nil {
		return nil
	}
	e, ok := r.(*expr.Error)
	if !ok {
		panic(r)
	}
	return e
}
