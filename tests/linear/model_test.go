package linear

import (
	"fmt"
	"strings"

	"github.com/anishathalye/porcupine"
)

const items = 4

// A cell is the state of one item.
type cell struct {
	present bool
	v       int64
}

func (c cell) String() string {
	if !c.present {
		return "none"
	}
	return fmt.Sprint(c.v)
}

// A state is all that there is.
type state struct {
	cells  [items]cell
	tokens uint64 // a bit for each that was used
}

// A condition on one item.
type condition int

const (
	always condition = iota
	absent
	equals
)

// An action is a write of one item.
type action struct {
	kind string // put, add, delete, check
	item int
	v    int64
	when condition
	than int64 // what the item equals
}

func (a action) holds(c cell) bool {
	switch a.when {
	case absent:
		return !c.present
	case equals:
		return c.present && c.v == a.than
	}
	return true
}

func (a action) apply(c cell) cell {
	switch a.kind {
	case "put":
		return cell{true, a.v}
	case "add":
		return cell{true, c.v + a.v}
	case "delete":
		return cell{}
	}
	return c
}

// An input is what a client asks for.
type input struct {
	kind    string // get, write, transact, transactget
	actions []action
	token   int // of a transact; 0: none
}

// An outcome is how an operation ended.
type outcome int

const (
	unknown  outcome = iota // it may have happened
	done                    // it has
	refused                 // a condition was false
	conflict                // it met a transaction
)

// An output is what a client was answered.
type output struct {
	outcome outcome
	cells   []cell // what was read; of a write the old item
	failed  []bool // of a refused transaction: whose conditions were false
}

// model is the specification.
var model = porcupine.Model{
	Init:              func() any { return state{} },
	Step:              func(s, in, out any) (bool, any) { return step(s.(state), in.(input), out.(output)) },
	DescribeOperation: describe,
	DescribeState:     func(s any) string { return fmt.Sprint(s.(state).cells) },
}

// step reports whether an operation can be answered so in a state, and the state after it.
func step(s state, in input, out output) (bool, state) {
	if out.outcome == conflict {
		return true, s
	}
	switch in.kind {
	case "get", "transactget":
		for i, a := range in.actions {
			if out.outcome == done && s.cells[a.item] != out.cells[i] {
				return false, s
			}
		}
		return true, s
	case "write":
		if out.outcome == done && s.cells[in.actions[0].item] != out.cells[0] {
			return false, s
		}
	}
	return s.write(in, out)
}

// write is step for what writes.
func (s state) write(in input, out output) (bool, state) {
	if bit := uint64(1) << in.token; in.token > 0 {
		if s.tokens&bit != 0 {
			return out.outcome != refused, s
		}
		s.tokens |= bit
	}
	next, possible := s, true
	for i, a := range in.actions {
		holds := a.holds(s.cells[a.item])
		if out.failed != nil && out.failed[i] == holds {
			return false, s
		}
		possible = possible && holds
		next.cells[a.item] = a.apply(s.cells[a.item])
	}
	if !possible {
		next = s
		if in.token > 0 {
			next.tokens &^= uint64(1) << in.token
		}
	}
	switch out.outcome {
	case done:
		return possible, next
	case refused:
		return !possible, next
	}
	return true, next
}

func describe(in, out any) string {
	i, o := in.(input), out.(output)
	var parts []string
	for _, a := range i.actions {
		text := fmt.Sprintf("%s %d", a.kind, a.item)
		if a.kind == "put" || a.kind == "add" {
			text += fmt.Sprintf(" %+d", a.v)
		}
		switch a.when {
		case absent:
			text += " if absent"
		case equals:
			text += fmt.Sprintf(" if %d", a.than)
		}
		parts = append(parts, text)
	}
	text := i.kind + " " + strings.Join(parts, ", ")
	if i.token > 0 {
		text += fmt.Sprintf(" token %d", i.token)
	}
	return text + ": " + [...]string{"unknown", "done", "refused", "conflict"}[o.outcome] + fmt.Sprint(" ", o.cells, o.failed)
}
