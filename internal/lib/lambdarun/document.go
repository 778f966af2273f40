package lambdarun

import (
	"encoding/json"
	"fmt"
	"time"
)

// A document is what the answer of a failed invocation says.
type document struct {
	ErrorType    string `json:"errorType,omitempty"`
	ErrorMessage string `json:"errorMessage"`
}

// failure is the answer for what went wrong outside the function's code. id is that of the request, "" if it does not matter.
func failure(errorType, id, text string) answer {
	if id != "" {
		text = "RequestId: " + id + " Error: " + text
	}
	payload, err := json.Marshal(document{errorType, text})
	if err != nil {
		panic(err) // two strings
	}
	return answer{payload: payload, failure: Unhandled}
}

// TimedOut is the result of an invocation that took longer than its function may.
func TimedOut(id string, timeout time.Duration) Result {
	a := timedOut(id, timeout)
	return Result{Payload: a.payload, Failure: a.failure}
}

func timedOut(id string, timeout time.Duration) answer {
	return failure("Sandbox.Timedout", id, "Task timed out after "+seconds(timeout)+" seconds")
}

// seconds prints a duration as Lambda does: 3.00.
func seconds(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()) }
