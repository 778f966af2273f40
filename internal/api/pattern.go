package api

import (
	"regexp"
	"strings"
)

// A Pattern is a regular expression that a whole text must match.
type Pattern struct {
	text  string // as the service spells it
	match func(string) bool
}

// String returns the pattern as the service spells it.
func (p *Pattern) String() string { return p.text }

// NamePattern is that of the names of tables, indexes and backups.
const NamePattern = "[a-zA-Z0-9_.-]+"

// translated holds the patterns that Go spells otherwise than the service, which is written in Java.
var translated = map[string]string{
	`\p{Print}+`: `[\x20-\x7e]+`,
	`[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*`: `[\x{20}-\x{d7ff}\x{e000}-\x{fffd}\x{10000}-\x{10ffff}\r\n\t]*`,
	`[0-9A-Za-z\.\-_]*(?<!\.)`:                                     `[0-9A-Za-z\.\-_]*[0-9A-Za-z\-_]`,
	`(^(?!(system\x2e)))(^[_a-zA-Z0-9])([^$]*)`:                    `[_a-zA-Z0-9][^$]*`,
}

// anyRegion replaces the patterns of a region's name: people call regions "local" too.
var anyRegion = strings.NewReplacer(
	`[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}`, region,
	`[a-z]{2}((-gov)|(-iso(b?)))?-[a-z]+-\d{1}`, region,
	`[a-z]{2}(-gov)?-[a-z]+-\d{1}`, region,
)

const region = `[a-zA-Z0-9_-]+`

// newPattern compiles a pattern.
func newPattern(text string) (*Pattern, error) {
	if text == NamePattern {
		return &Pattern{text, isName}, nil // every request has one to match
	}
	re := anyRegion.Replace(text)
	if t, ok := translated[text]; ok {
		re = t
	}
	r, err := regexp.Compile("^(?:" + re + ")$")
	if err != nil {
		return nil, err
	}
	return &Pattern{text, r.MatchString}, nil
}

func isName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '.', c == '-':
		default:
			return false
		}
	}
	return s != ""
}
