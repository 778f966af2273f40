package api

import "fmt"

// An Error is a failure as the client sees it.
type Error struct {
	Space   string // namespace in __type: SpaceModel, ...
	Code    string // "ResourceNotFoundException"
	Status  int    // HTTP status
	Message string // "": the member is left out
	Upper   bool   // the text's member is spelled Message
	// More holds further members, encoded as an output shape is; nil or a pointer to a struct.
	More any
}

func (e *Error) Error() string {
	if e.Message == "" {
		return e.Code
	}
	return e.Code + ": " + e.Message
}

// The namespaces of errors.
const (
	SpaceModel        = "com.amazonaws.dynamodb.v20120810"
	SpaceValidate     = "com.amazon.coral.validate"
	SpaceService      = "com.amazon.coral.service"
	SpaceAvailability = "com.amazon.coral.availability"
)

// upper holds the modelled errors whose text is spelled Message.
var upper = map[string]bool{
	"IdempotentParameterMismatchException": true,
	"TransactionCanceledException":         true,
	"TransactionInProgressException":       true,
}

// Errorf makes a modelled error of status 400.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Space: SpaceModel, Code: code, Status: 400, Message: fmt.Sprintf(format, args...), Upper: upper[code]}
}

// With returns e with further members: a pointer to a struct, such as *ddb.ConditionalCheckFailedException.
func (e *Error) With(more any) *Error {
	e.More = more
	return e
}

// Invalid makes a ValidationException.
func Invalid(format string, args ...any) *Error {
	return &Error{Space: SpaceValidate, Code: "ValidationException", Status: 400, Message: fmt.Sprintf(format, args...)}
}

// Serialization makes the error for a body that is not JSON (text is "") or whose values are of wrong types.
func Serialization(text string) *Error {
	return &Error{Space: SpaceService, Code: "SerializationException", Status: 400, Message: text, Upper: true}
}

// UnknownOperation makes the error for an operation that does not exist or is not built.
func UnknownOperation() *Error {
	return &Error{Space: SpaceService, Code: "UnknownOperationException", Status: 400}
}

// AccessDenied makes the error for a call that no policy allows.
func AccessDenied(format string, args ...any) *Error {
	e := Unauthenticated("AccessDeniedException", format, args...)
	e.Upper = true
	return e
}

// Unauthenticated makes an error for a call whose sender is not known: code is MissingAuthenticationTokenException,
// IncompleteSignatureException, InvalidSignatureException, UnrecognizedClientException or ExpiredTokenException.
func Unauthenticated(code, format string, args ...any) *Error {
	return &Error{Space: SpaceService, Code: code, Status: 400, Message: fmt.Sprintf(format, args...)}
}

// Throttled makes the error that asks a client to come back a little later.
func Throttled(format string, args ...any) *Error {
	return &Error{Space: SpaceAvailability, Code: "ThrottlingException", Status: 400, Message: fmt.Sprintf(format, args...)}
}

// Internal makes the error for a fault of our own, which it does not tell; the client may try again.
func Internal() *Error {
	return &Error{Space: SpaceModel, Code: "InternalServerError", Status: 500, Message: "Internal server error"}
}

// Unavailable makes the error for a server that cannot serve now, such as one that is shutting down.
func Unavailable(format string, args ...any) *Error {
	return &Error{Space: SpaceAvailability, Code: "ServiceUnavailable", Status: 503, Message: fmt.Sprintf(format, args...)}
}
