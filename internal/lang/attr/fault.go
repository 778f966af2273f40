package attr

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/grammedb/gramme/internal/lib/decimal"
)

// An Error is a fault in an attribute value, with DynamoDB's text.
type Error struct {
	Text    string
	Name    string // the top-level attribute in whose value it was found
	Nesting bool   // the fault is that of levels beyond 32, which is reported bare where others are wrapped
}

func (e *Error) Error() string { return e.Text }

// The texts of faults.
const (
	invalid = "One or more parameter values were invalid: "

	noType    = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
	manyTypes = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
	falseNull = invalid + "Null attribute value types must have the value of true"
	emptyName = invalid + "Empty attribute name"
	longName  = invalid + "Attribute name is too large, must be less than or equal to 65535 bytes"
	tooLarge  = "Item size has exceeded the maximum allowed size"
	tooNested = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
)

// numberFault returns the text for a number that lib/decimal refuses with err.
func numberFault(err error, text []byte) string {
	switch {
	case errors.Is(err, decimal.ErrPrecision):
		return "Attempting to store more than 38 significant digits in a Number"
	case errors.Is(err, decimal.ErrOverflow):
		return "Number overflow. Attempting to store a number with magnitude larger than supported range"
	case errors.Is(err, decimal.ErrUnderflow):
		return "Number underflow. Attempting to store a number with magnitude smaller than supported range"
	case len(text) == 0:
		return "The parameter cannot be converted to a numeric value"
	}
	return "The parameter cannot be converted to a numeric value: " + string(text)
}

// emptySet returns the text for a set of type t without members. Two spaces stand in it on the service too.
func emptySet(t Type) string {
	switch t {
	case SS:
		return invalid + "An string set  may not be empty"
	case NS:
		return invalid + "An number set  may not be empty"
	}
	return invalid + "Binary sets should not be empty"
}

// nullMember returns the text for a set of type t with null among its members.
func nullMember(t Type) string {
	switch t {
	case SS:
		return invalid + "An string set may not have a null string as a member"
	case NS:
		return invalid + "An number set may not have a null as a member"
	}
	return invalid + "Binary sets may not contain null values"
}

// duplicates returns the text for a set of type t in which two members are equal.
func duplicates(t Type, members []Value) string {
	if t == NS {
		return "Input collection contains duplicates"
	}
	var texts []string
	for _, m := range members {
		if t == BS {
			texts = append(texts, base64.StdEncoding.EncodeToString(m.content()))
		} else {
			texts = append(texts, string(m.content()))
		}
	}
	text := invalid + "Input collection [" + strings.Join(texts, ", ") + "]"
	if t == BS {
		return text + "of type BS contains duplicates."
	}
	return text + " contains duplicates."
}
