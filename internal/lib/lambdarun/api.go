package lambdarun

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxAnswer is how large an answer of a function may be, as the service counts.
const maxAnswer = 6291556

// runtimeAPI serves the Lambda Runtime API to the process.
func (in *instance) runtimeAPI(addr string) http.Handler {
	mux := http.NewServeMux()
	const base = "/2018-06-01/runtime"
	mux.HandleFunc("GET "+base+"/invocation/next", in.next)
	mux.HandleFunc("POST "+base+"/invocation/{id}/response", in.response)
	mux.HandleFunc("POST "+base+"/invocation/{id}/error", in.invocationError)
	mux.HandleFunc("POST "+base+"/init/error", in.initError)
	mux.HandleFunc("GET /alive", in.alive)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != addr || r.Header.Get("Origin") != "" { // a web page, by whatever name
			refuse(w, http.StatusForbidden, "Forbidden", "This server is for the runtime of a function.")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// next answers with the next event when there is one.
func (in *instance) next(w http.ResponseWriter, r *http.Request) {
	if in.busy() {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "The event that was delivered last has no answer yet.")
		return
	}
	var inv *invocation
	select {
	case inv = <-in.events:
	case <-r.Context().Done():
		return
	}
	deadline := in.deliver(inv)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.ID)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", in.f.ARN)
	h.Set("Lambda-Runtime-Trace-Id", "Root=1-"+fmt.Sprintf("%08x", time.Now().Unix())+"-000000000000000000000000;Parent=0000000000000000;Sampled=0")
	if inv.ClientContext != "" {
		h.Set("Lambda-Runtime-Client-Context", inv.ClientContext)
	}
	h.Set("Content-Length", strconv.Itoa(len(inv.Payload)))
	_, _ = w.Write(inv.Payload) // a process that is gone is noticed by its end
}

// busy reports whether an event was delivered that has no answer yet.
func (in *instance) busy() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.current != nil && in.current.delivered && !in.current.answered
}

// deliver notes that the process has the event, and returns when its time ends.
func (in *instance) deliver(inv *invocation) time.Time {
	in.mu.Lock()
	defer in.mu.Unlock()
	inv.delivered = true
	return time.Now().Add(in.f.Timeout)
}

// response takes the answer of a function.
func (in *instance) response(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		text := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxAnswer)
		in.answer(r.PathValue("id"), failure("Function.ResponseSizeTooLarge", "", text))
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", maxAnswer))
		return
	}
	if err != nil {
		return // the connection is gone, and the process probably too
	}
	in.accept(w, in.answer(r.PathValue("id"), answer{payload: body}))
}

// invocationError takes the error of a function.
func (in *instance) invocationError(w http.ResponseWriter, r *http.Request) {
	a, err := readError(w, r)
	if err != nil {
		return
	}
	in.accept(w, in.answer(r.PathValue("id"), a))
}

// initError takes the error of a process that cannot begin.
func (in *instance) initError(w http.ResponseWriter, r *http.Request) {
	a, err := readError(w, r)
	if err != nil {
		return
	}
	in.accept(w, true)
	in.fail(a)
}

// readError reads an error document. A runtime that sends none gets one made of its headers.
func readError(w http.ResponseWriter, r *http.Request) (answer, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The error document is too large.")
		return answer{}, err
	}
	kind := r.Header.Get("Lambda-Runtime-Function-Error-Type")
	if !json.Valid(body) {
		if kind == "" {
			kind = "Runtime.Unknown"
		}
		return failure(kind, "", string(body)), nil
	}
	if kind == Handled {
		return answer{body, Handled}, nil
	}
	return answer{body, Unhandled}, nil
}

// answer gives an answer to the invocation that is under way, and reports whether it has that id and had none.
func (in *instance) answer(id string, a answer) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.current == nil || in.current.ID != id || in.current.answered {
		return false
	}
	in.current.answered = true
	in.current.done <- a
	return true
}

func (in *instance) accept(w http.ResponseWriter, ok bool) {
	if !ok {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`+"\n")
}

// alive never answers: a process sees by the end of its connection that nobody needs it any more.
func (in *instance) alive(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func refuse(w http.ResponseWriter, status int, errorType, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(document{errorType, text})
}
