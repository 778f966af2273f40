package api

import (
	"fmt"
	"strings"
)

// A fault is one broken constraint.
type fault struct {
	path     string
	value    string
	phrase   string
	null     bool // there is no value
	modern   bool // in the newer form: the path as in the request, no value
	alone    bool // only told if it is the first, and then no other is
	sentence bool // phrase is the whole message
}

// faults are those found so far, in the order of the checks.
type faults []fault

func (fs faults) add(f fault) faults {
	if len(fs) > 0 && (f.alone || fs.complete()) {
		return fs
	}
	return append(fs, f)
}

// complete reports whether no further fault will be told.
func (fs faults) complete() bool {
	return len(fs) > 0 && fs[0].alone || len(fs) == maxFaults
}

// under puts the fault's path below a member: old and modern are its name in the two forms.
func (f *fault) under(old, modern string) {
	if f.modern {
		old = modern
	}
	f.path = old + "." + f.path
}

func (f *fault) append(b *strings.Builder) {
	b.WriteString("Value ")
	switch {
	case f.null:
		b.WriteString("null ")
	case !f.modern:
		fmt.Fprintf(b, "'%s' ", f.value)
	}
	fmt.Fprintf(b, "at '%s' failed to satisfy constraint: %s", f.path, f.phrase)
}

func (fs faults) asError() *Error {
	if fs[0].sentence {
		return Invalid("%s", fs[0].phrase)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d validation error%s detected: ", len(fs), plural(len(fs)))
	for i := range fs {
		if i > 0 {
			b.WriteString("; ")
		}
		fs[i].append(&b)
	}
	return Invalid("%s", b.String())
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
