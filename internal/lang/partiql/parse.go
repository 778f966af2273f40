package partiql

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/grammedb/gramme/internal/lang/attr"
	"github.com/grammedb/gramme/internal/lang/expr"
)

const (
	maxText   = 8192               // characters of a statement
	maxDepth  = 256                // of nested parentheses, NOTs, lists and maps
	maxLevels = attr.MaxLevels + 1 // of a composed value: an item, in which values can have that many
	maxIndex  = math.MaxInt32
)

// Parse parses a statement. Errors are *expr.Error.
func Parse(text string) (_ *Statement, err error) {
	if len(text) > maxText && utf8.RuneCountInString(text) > maxText || !utf8.ValidString(text) {
		return nil, fault(malformed + "Not a text of at most 8192 characters")
	}
	p := &parser{text: text, tokens: lex(text), out: &Statement{}}
	defer func() {
		if e := recovered(recover()); e != nil {
			err = e
		}
	}()
	p.statement()
	return p.out, nil
}

// statement = ( select | exists | insert | update | delete ) [ ";" ] .
func (p *parser) statement() {
	switch {
	case p.is("SELECT"):
		p.selection()
	case p.is("EXISTS"):
		p.exists()
	case p.is("INSERT"):
		p.insert()
	case p.is("UPDATE"):
		p.update()
	case p.is("DELETE"):
		p.delete()
	default:
		p.fail("Expected SELECT, INSERT, UPDATE or DELETE")
	}
	if p.peek() == tokReserved {
		p.refuse("Unsupported clause: " + strings.ToUpper(p.word()))
	}
	p.accept(tokSemicolon)
	if p.peek() != tokEOF {
		p.fail("Unexpected token after expression")
	}
}

// select = "SELECT" ( "*" | path { "," path } ) "FROM" table [ "WHERE" condition ] [ "ORDER" "BY" ordering { "," ordering } ] .
func (p *parser) selection() {
	p.expectWords("SELECT")
	if !p.accept(tokStar) {
		p.out.paths = p.pathList()
	}
	p.expectWords("FROM")
	p.table()
	p.condition()
	if !p.acceptWord("ORDER") {
		return
	}
	p.expectWords("BY")
	p.ordering()
	for p.accept(tokComma) {
		p.ordering()
	}
}

// ordering = path [ "ASC" | "DESC" ] .
func (p *parser) ordering() {
	o := ordering{path: p.path()}
	if !p.acceptWord("ASC") {
		o.descending = p.acceptWord("DESC")
	}
	p.out.order = append(p.out.order, o)
}

// exists = "EXISTS" "(" select ")" .
func (p *parser) exists() {
	p.expectWords("EXISTS")
	p.expect(tokLeftParen, "(")
	p.selection()
	p.expect(tokRightParen, ")")
	if p.out.order != nil {
		p.refuse("Unsupported clause: ORDER")
	}
	p.out.Kind = Exists
}

// insert = "INSERT" "INTO" table "VALUE" operand .
func (p *parser) insert() {
	p.expectWords("INSERT", "INTO")
	p.out.Kind = Insert
	p.table()
	p.expectWords("VALUE")
	item := p.operand()
	p.out.item = &item
}

// update = "UPDATE" table clause { clause } [ "WHERE" condition ] [ returning ] .
// clause = "SET" assignment { "," assignment } | "REMOVE" path { "," path } .
func (p *parser) update() {
	p.expectWords("UPDATE")
	p.out.Kind = Update
	p.table()
	for ok := true; ok; ok = p.is("SET") || p.is("REMOVE") {
		if p.acceptWord("REMOVE") {
			for _, path := range p.pathList() {
				p.out.actions = append(p.out.actions, action{target: path})
			}
			continue
		}
		p.expectWords("SET")
		p.assignment()
		for p.accept(tokComma) {
			p.assignment()
		}
	}
	p.condition()
	p.returning()
}

// assignment = path "=" operand .
func (p *parser) assignment() {
	target := p.path()
	p.expect(tokEQ, "=")
	value := p.operand()
	p.out.actions = append(p.out.actions, action{target, &value})
}

// delete = "DELETE" "FROM" table [ "WHERE" condition ] [ returning ] .
func (p *parser) delete() {
	p.expectWords("DELETE", "FROM")
	p.out.Kind = Delete
	p.table()
	p.condition()
	p.returning()
	if v := p.out.ReturnValues; v != "" && v != "ALL_OLD" {
		p.refuse("RETURNING of a DELETE statement can only be ALL OLD *")
	}
}

// returning = "RETURNING" ( "ALL" | "MODIFIED" ) ( "OLD" | "NEW" ) "*" .
func (p *parser) returning() {
	if !p.acceptWord("RETURNING") {
		return
	}
	which := "ALL"
	if p.acceptWord("MODIFIED") {
		which = "UPDATED"
	} else {
		p.expectWords("ALL")
	}
	when := "NEW"
	if !p.acceptWord(when) {
		when = "OLD"
		p.expectWords(when)
	}
	p.expect(tokStar, "*")
	p.out.ReturnValues = which + "_" + when
}

// table = name [ "." name ] .
func (p *parser) table() {
	p.out.Table = p.name("Expected table name")
	if p.accept(tokDot) {
		p.out.Index = p.name("Expected index name")
	}
}

// condition parses the condition behind WHERE, if there is one.
func (p *parser) condition() {
	if !p.acceptWord("WHERE") {
		return
	}
	n := p.or()
	p.want(&n, true)
	p.out.where = &n
}

// Paths.

// pathList = path { "," path } .
func (p *parser) pathList() []expr.Path {
	list := []expr.Path{p.path()}
	for p.accept(tokComma) {
		list = append(list, p.path())
	}
	return list
}

// path = name { "." name | "[" ( digits | string ) "]" } .
func (p *parser) path() expr.Path {
	path := expr.Path{{Name: p.name("Unexpected term")}}
	for {
		switch p.peek() {
		case tokDot:
			p.advance()
			path = append(path, expr.Step{Name: p.name("Invalid path dot component")})
		case tokLeftBracket:
			p.advance()
			path = append(path, p.bracketed())
			p.expect(tokRightBracket, "]")
		default:
			return path
		}
	}
}

// name = word | quoted .
func (p *parser) name(reason string) string {
	switch {
	case p.peek() == tokWord:
		return p.advance()
	case p.peek() == tokQuoted && len(p.word()) > len(`""`):
		return unquote(p.advance())
	}
	p.fail(reason)
	return ""
}

func (p *parser) bracketed() expr.Step {
	if p.peek() == tokString && len(p.word()) > len(`''`) {
		return expr.Step{Name: unquote(p.advance())}
	}
	i, err := strconv.Atoi(p.word())
	if p.peek() != tokNumber || err != nil || i > maxIndex {
		p.fail("Invalid path component")
	}
	p.advance()
	return expr.Step{Index: i, IsIndex: true}
}

// unquote returns what stands in a pair of quotation marks.
func unquote(text string) string {
	mark := text[:1]
	return strings.ReplaceAll(text[1:len(text)-1], mark+mark, mark)
}
