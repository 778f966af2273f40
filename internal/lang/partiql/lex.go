package partiql

import (
	"strings"
	"unicode/utf8"
)

// A tokenKind classifies tokens.
type tokenKind uint8

const (
	tokEOF          tokenKind = iota
	tokInvalid                // a character that starts no token, a string without an end
	tokWord                   // bare name
	tokReserved               // reserved word, in any case
	tokQuoted                 // "name"
	tokString                 // 'text'
	tokNumber                 // 1, 1.5, .5, 1e-3
	tokParam                  // ?
	tokEQ                     // =
	tokNE                     // <> or !=
	tokLT                     // <
	tokLE                     // <=
	tokGT                     // >
	tokGE                     // >=
	tokPlus                   // +
	tokMinus                  // -
	tokStar                   // *
	tokComma                  // ,
	tokDot                    // .
	tokColon                  // :
	tokSemicolon              // ;
	tokLeftParen              // (
	tokRightParen             // )
	tokLeftBracket            // [
	tokRightBracket           // ]
	tokLeftBrace              // {
	tokRightBrace             // }
	tokLeftSet                // <<
	tokRightSet               // >>
)

// symbols are the tokens that always read the same, those that begin like others before them.
var symbols = []struct {
	text string
	kind tokenKind
}{
	{"<<", tokLeftSet}, {">>", tokRightSet}, {"<>", tokNE}, {"!=", tokNE}, {"<=", tokLE}, {">=", tokGE}, {"<", tokLT}, {">", tokGT},
	{"=", tokEQ}, {"?", tokParam}, {"+", tokPlus}, {"-", tokMinus}, {"*", tokStar}, {",", tokComma}, {".", tokDot}, {":", tokColon},
	{";", tokSemicolon}, {"(", tokLeftParen}, {")", tokRightParen}, {"[", tokLeftBracket}, {"]", tokRightBracket},
	{"{", tokLeftBrace}, {"}", tokRightBrace},
}

// A token is a kind and where it stands in the text.
type token struct {
	kind       tokenKind
	start, end int
}

// lex splits text into tokens, the last of which is tokEOF.
func lex(text string) []token {
	tokens := make([]token, 0, len(text)/4+2)
	last := tokEOF
	for at := 0; ; {
		at += blank(text[at:])
		t := next(text, at, last)
		tokens = append(tokens, t)
		if t.kind == tokEOF {
			return tokens
		}
		at, last = t.end, t.kind
	}
}

// next returns the token that starts at the given offset, where nothing blank is; last is the kind of the one before it.
func next(text string, at int, last tokenKind) token {
	rest := text[at:]
	if rest == "" {
		return token{tokEOF, at, at}
	}
	c := rest[0]
	switch {
	case isLetter(c):
		n := 1
		for n < len(rest) && (isLetter(rest[n]) || isDigit(rest[n])) {
			n++
		}
		return token{wordKind(rest[:n]), at, at + n}
	case c == '"':
		return quoted(tokQuoted, rest, at)
	case c == '\'':
		return quoted(tokString, rest, at)
	case isDigit(c), c == '.' && len(rest) > 1 && isDigit(rest[1]) && !endsPath(last):
		return number(rest, at)
	}
	for _, s := range symbols {
		if strings.HasPrefix(rest, s.text) {
			return token{s.kind, at, at + len(s.text)}
		}
	}
	_, n := utf8.DecodeRuneInString(rest)
	return token{tokInvalid, at, at + n}
}

// endsPath reports whether a dot after such a token leads on in a path.
func endsPath(k tokenKind) bool {
	return k == tokWord || k == tokReserved || k == tokQuoted || k == tokRightBracket
}

func wordKind(word string) tokenKind {
	if isReserved(word) {
		return tokReserved
	}
	return tokWord
}

// quoted returns the token of the kind that rest starts with: up to a quotation mark that is not doubled.
func quoted(k tokenKind, rest string, at int) token {
	mark := rest[0]
	for n := 1; n < len(rest); n++ {
		if rest[n] != mark {
			continue
		}
		if n+1 == len(rest) || rest[n+1] != mark {
			return token{k, at, at + n + 1}
		}
		n++
	}
	return token{tokInvalid, at, at + len(rest)}
}

// number returns the number that rest starts with. A letter right behind it makes it invalid.
func number(rest string, at int) token {
	n := digits(rest, 0)
	if n < len(rest) && rest[n] == '.' {
		n = digits(rest, n+1)
	}
	if n < len(rest) && rest[n]|0x20 == 'e' {
		exponent := n + 1
		if exponent < len(rest) && (rest[exponent] == '+' || rest[exponent] == '-') {
			exponent++
		}
		if end := digits(rest, exponent); end > exponent {
			n = end
		}
	}
	if n < len(rest) && isLetter(rest[n]) {
		return token{tokInvalid, at, at + n + 1}
	}
	return token{tokNumber, at, at + n}
}

// digits returns the end of the digits that start at the given offset.
func digits(s string, at int) int {
	for at < len(s) && isDigit(s[at]) {
		at++
	}
	return at
}

// blank counts the bytes of white space and comments that s starts with.
func blank(s string) int {
	rest := s
	for {
		before := len(rest)
		rest = strings.TrimLeft(rest, " \t\r\n\f\v")
		if strings.HasPrefix(rest, "--") {
			_, rest, _ = strings.Cut(rest, "\n")
		}
		if strings.HasPrefix(rest, "/*") {
			if _, after, ok := strings.Cut(rest[2:], "*/"); ok {
				rest = after
			}
		}
		if len(rest) == before {
			return len(s) - len(rest)
		}
	}
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c == '$' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
