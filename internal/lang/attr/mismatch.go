package attr

import (
	"bytes"
	"fmt"

	"github.com/grammedb/gramme/internal/lib/jsontok"
)

// A TypeError is a JSON value of a wrong type, which is a SerializationException with this text.
type TypeError string

func (e TypeError) Error() string { return string(e) }

// A shape is what the API's model wants a JSON value to be, as the texts for those that are not.
type shape struct {
	scalar string // the whole text, or, after a space, what is said of the name of the token
	array  string
	object string
}

const (
	noObject  = "Start of structure or map found where not expected"
	noArray   = "Unrecognized collection type "
	valueName = "com.amazonaws.dynamodb.v20120810.AttributeValue"
)

var (
	stringShape  = shape{" cannot be converted to String", noArray + "class java.lang.String", noObject}
	booleanShape = shape{" cannot be converted to Boolean", noArray + "class java.lang.Boolean", noObject}
	blobShape    = shape{"only base-64-encoded strings are convertible to bytes", noArray + "class java.nio.ByteBuffer", noObject}
	listShape    = shape{"Unexpected field type", "", noObject}
	mapShape     = shape{"Unexpected field type", noArray + "java.util.Map<java.lang.String, " + valueName + ">", ""}
	fieldShape   = shape{"Unexpected field type", noArray + "class " + valueName, ""}
	elementShape = shape{"Unexpected value type in payload", noArray + "class " + valueName, ""}
)

// mismatch returns the fault of a value that starts with the token k of the given text.
func (s *shape) mismatch(k jsontok.Kind, text []byte) TypeError {
	switch {
	case k == jsontok.Array:
		return TypeError(s.array)
	case k == jsontok.Object:
		return TypeError(s.object)
	case s.scalar[0] == ' ':
		return TypeError(tokenName(k, text) + s.scalar)
	}
	return TypeError(s.scalar)
}

// tokenName returns what the service calls a scalar.
func tokenName(k jsontok.Kind, text []byte) string {
	switch k {
	case jsontok.True:
		return "TRUE_VALUE"
	case jsontok.False:
		return "FALSE_VALUE"
	case jsontok.String:
		return "STRING_VALUE"
	}
	if bytes.ContainsAny(text, ".eE") {
		return "DECIMAL_VALUE"
	}
	return "NUMBER_VALUE"
}

// wrongLength returns the fault of base64 text whose length is not a multiple of 4.
func wrongLength(text []byte) TypeError {
	return TypeError(fmt.Sprintf("Base64 encoded length is expected a multiple of 4 bytes but found: %d", len(text)))
}

// wrongBase64 returns the fault of base64 text of a possible length.
func wrongBase64(text []byte) TypeError {
	body := bytes.TrimRight(text, "=")
	if len(text)-len(body) > 2 {
		body = text[:len(text)-2]
	}
	for _, c := range string(body) {
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
		default:
			return TypeError(fmt.Sprintf("Invalid Base64 character: '%c'", c))
		}
	}
	return "Invalid last non-pad Base64 character dectected" // the misprint is the service's
}
