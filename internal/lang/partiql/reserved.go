package partiql

import (
	_ "embed"
	"strings"
	"sync"
)

// reservedWords are the words that name nothing unless they are quoted: those of SQL-92 without the parts of dates, and those
// that PartiQL adds. One word a line, in upper case.
//
//go:embed reserved-words.txt
var reservedWords string

var reservedSet = sync.OnceValue(func() map[string]bool {
	words := strings.Fields(reservedWords)
	set := make(map[string]bool, len(words))
	for _, w := range words {
		set[w] = true
	}
	return set
})

const longestReserved = len("CURRENT_TIMESTAMP")

// isReserved reports whether a word is reserved, in whatever case.
func isReserved(word string) bool {
	return len(word) <= longestReserved && reservedSet()[strings.ToUpper(word)]
}
