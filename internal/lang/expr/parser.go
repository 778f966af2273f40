package expr

// A parser is a recursive-descent parser with a method for each production of the grammar. A syntax error leaves it by
// a panic with a syntaxError.
type parser struct {
	text      string
	tokens    []token
	at        int // of the current token
	depth     int
	operators int
	referred  map[string]int // the placeholders met; of a :value its index
	closed    span           // the parentheses closed last
	faults    [faultKinds]string
	out       *parsed
}

// A span is a pair of parentheses by their tokens.
type span struct{ open, close int }

// A syntaxError is what a parser panics with.
type syntaxError string

// peek returns the kind of the current token.
func (p *parser) peek() tokenKind { return p.tokens[p.at].kind }

// advance passes over the current token and returns its text. REQUIRES: it is not the last.
func (p *parser) advance() string {
	t := p.tokens[p.at]
	p.at++
	return p.text[t.start:t.end]
}

// expect passes over a token of the given kind.
func (p *parser) expect(k tokenKind) {
	if p.peek() != k {
		p.fail()
	}
	p.at++
}

// operator passes over an operator and counts it.
func (p *parser) operator() {
	p.operators++
	p.at++
}

// enter and leave count how deep the parser is in nested constructs.
func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail()
	}
}

func (p *parser) leave() { p.depth-- }

// fail reports the current token with its neighbours.
func (p *parser) fail() {
	t := p.tokens[p.at]
	text := p.text[t.start:t.end]
	if t.kind == tokEOF {
		text = "<EOF>"
	}
	before, after := t, t
	if p.at > 0 {
		before = p.tokens[p.at-1]
	}
	switch {
	case t.kind == tokEOF:
		after = before
	case p.tokens[p.at+1].kind != tokEOF:
		after = p.tokens[p.at+1]
	}
	near := p.text[before.start:after.end]
	panic(syntaxError("Syntax error; token: \"" + text + "\", near: \"" + near + "\""))
}

// A faultKind orders the faults that do not stop the parser: of several the lowest is reported, of one kind the first.
type faultKind uint8

const (
	faultParentheses faultKind = iota
	faultFunctionName
	faultMisplaced
	faultReserved
	faultSection
	faultIndex
	faultDepth
	faultOperators
	faultKinds
)

// note records a fault that is reported if the rest of the expression parses.
func (p *parser) note(k faultKind, text string) {
	if p.faults[k] == "" {
		p.faults[k] = text
	}
}

// fault returns the fault to report, if any.
func (p *parser) fault() string {
	for _, text := range p.faults {
		if text != "" {
			return text
		}
	}
	return ""
}

// refer notes that a placeholder is used. Of a :value it returns the index.
func (p *parser) refer(name string) int {
	if i, known := p.referred[name]; known {
		return i
	}
	i := len(p.out.values)
	p.referred[name] = i
	p.out.refs = append(p.out.refs, ref{name, i})
	if name[0] == ':' {
		p.out.values = append(p.out.values, name)
	}
	return i
}
