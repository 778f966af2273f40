package expr

import (
	"strings"
	"unicode/utf8"
)

// A tokenKind classifies tokens. All kinds of expression share one tokenizer.
type tokenKind uint8

const (
	tokEOF          tokenKind = iota
	tokInvalid                // a character that starts no token, a lone # or :
	tokIdent                  // bare name of an attribute or a function
	tokName                   // #name
	tokValue                  // :value
	tokDigits                 // 0, 12
	tokEQ                     // =
	tokNE                     // <>
	tokLT                     // <
	tokLE                     // <=
	tokGT                     // >
	tokGE                     // >=
	tokPlus                   // +
	tokMinus                  // -
	tokComma                  // ,
	tokDot                    // .
	tokLeftParen              // (
	tokRightParen             // )
	tokLeftBracket            // [
	tokRightBracket           // ]

	// Keywords, in any case.
	tokSet
	tokRemove
	tokAdd
	tokDelete
	tokAnd
	tokOr
	tokNot
	tokBetween
	tokIn
)

var keywords = map[string]tokenKind{
	"SET": tokSet, "REMOVE": tokRemove, "ADD": tokAdd, "DELETE": tokDelete,
	"AND": tokAnd, "OR": tokOr, "NOT": tokNot, "BETWEEN": tokBetween, "IN": tokIn,
}

const longestKeyword = len("BETWEEN")

var symbols = map[byte]tokenKind{
	'=': tokEQ, '<': tokLT, '>': tokGT, '+': tokPlus, '-': tokMinus, ',': tokComma, '.': tokDot,
	'(': tokLeftParen, ')': tokRightParen, '[': tokLeftBracket, ']': tokRightBracket,
}

// A token is a kind and where it stands in the text.
type token struct {
	kind       tokenKind
	start, end int
}

// lex splits text into tokens, the last of which is tokEOF.
func lex(text string) []token {
	tokens := make([]token, 0, len(text)/3+2)
	for at := 0; ; {
		at += spaces(text[at:])
		t := next(text, at)
		tokens = append(tokens, t)
		if t.kind == tokEOF {
			return tokens
		}
		at = t.end
	}
}

// next returns the token that starts at the given offset, where there is no white space.
func next(text string, at int) token {
	if at == len(text) {
		return token{tokEOF, at, at}
	}
	rest := text[at:]
	c := rest[0]
	switch {
	case isLetter(c):
		n := wordLen(rest)
		return token{wordKind(rest[:n]), at, at + n}
	case isDigit(c):
		n := 1
		for n < len(rest) && isDigit(rest[n]) {
			n++
		}
		return token{tokDigits, at, at + n}
	case c == '#' || c == ':':
		if n := wordLen(rest[1:]); n > 0 {
			kind := tokName
			if c == ':' {
				kind = tokValue
			}
			return token{kind, at, at + 1 + n}
		}
	case strings.HasPrefix(rest, "<>"):
		return token{tokNE, at, at + 2}
	case strings.HasPrefix(rest, "<="):
		return token{tokLE, at, at + 2}
	case strings.HasPrefix(rest, ">="):
		return token{tokGE, at, at + 2}
	default:
		if kind, ok := symbols[c]; ok {
			return token{kind, at, at + 1}
		}
	}
	_, n := utf8.DecodeRuneInString(rest)
	return token{tokInvalid, at, at + n}
}

func wordKind(word string) tokenKind {
	if len(word) <= longestKeyword {
		if kind, ok := keywords[strings.ToUpper(word)]; ok {
			return kind
		}
	}
	return tokIdent
}

// spaces counts the white space that s starts with.
func spaces(s string) int {
	return len(s) - len(strings.TrimLeft(s, " \t\r\n"))
}

// wordLen counts the letters, digits and underscores that s starts with.
func wordLen(s string) int {
	n := 0
	for n < len(s) && isWord(s[n]) {
		n++
	}
	return n
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isWord(c byte) bool   { return isLetter(c) || isDigit(c) || c == '_' }
