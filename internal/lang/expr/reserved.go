package expr

import (
	_ "embed"
	"strings"
	"sync"
)

// reservedWords is DynamoDB's list, one word a line, in upper case (DynamoDB developer guide: Reserved words in DynamoDB).
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

// isReserved reports whether a bare name is a reserved word, in whatever case.
func isReserved(name string) bool { return reservedSet()[strings.ToUpper(name)] }
