package lambda

import (
	"fmt"

	"github.com/grammedb/gramme/internal/api"
)

// fail makes an error of the service whose text is spelled message.
func fail(code string, status int, format string, args ...any) *api.Error {
	return &api.Error{Space: api.SpaceModel, Code: code, Status: status, Message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) *api.Error {
	return fail("InvalidParameterValueException", 400, format, args...)
}

// notBuilt refuses a member that switches on what there is not.
func notBuilt(member string) *api.Error {
	return invalid("%s is not supported by Gramme.", member)
}

func conflict(format string, args ...any) *api.Error {
	return fail("ResourceConflictException", 409, format, args...)
}

func notFound(format string, args ...any) *api.Error {
	e := fail("ResourceNotFoundException", 404, format, args...)
	e.Upper = true
	return e
}

func functionNotFound(arn string) *api.Error { return notFound("Function not found: %s", arn) }

func tooLarge(format string, args ...any) *api.Error {
	return fail("RequestTooLargeException", 413, format, args...)
}

func precondition() *api.Error {
	return fail("PreconditionFailedException", 412, "The Revision Id provided does not match the latest Revision Id. "+
		"Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
}

// busy refuses an invocation for which there is no process.
func busy() *api.Error {
	e := fail("TooManyRequestsException", 429, "Rate Exceeded.")
	return e.With(&struct{ Reason *string }{new("ConcurrentInvocationLimitExceeded")})
}

// inUse refuses to do something with a mapping that is being deleted.
func inUse(what string) *api.Error {
	e := fail("ResourceInUseException", 400, "Cannot %s the event source mapping because it is in use.", what)
	e.Upper = true
	return e
}
