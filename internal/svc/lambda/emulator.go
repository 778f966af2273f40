package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/grammedb/gramme/internal/lib/lambdarun"
)

// emulatorGrace is how much longer than a function's timeout its emulator may take to say that it is over.
const emulatorGrace = 10 * time.Second

// emulators asks functions that run elsewhere: in Lambda Runtime Interface Emulators, each of which takes one event at a time.
type emulators struct {
	grace time.Duration
	mu    sync.Mutex
	turns map[string]*emulatorTurn // guarded by mu: by URL, while somebody has the turn or waits for it
}

// An emulatorTurn is whose turn it is: whoever sends has it until he receives.
type emulatorTurn struct {
	taken chan struct{} // of one element
	users int           // guarded by the emulators' mu
}

// turn returns the turn of a URL, and what gives it back when it is needed no more.
func (e *emulators) turn(url string) (taken chan struct{}, forget func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.turns == nil {
		e.turns = map[string]*emulatorTurn{}
	}
	t := e.turns[url]
	if t == nil {
		t = &emulatorTurn{taken: make(chan struct{}, 1)}
		e.turns[url] = t
	}
	t.users++
	return t.taken, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(e.turns, url)
		}
	}
}

// invoke runs one invocation. It fails if the function was not asked, or its emulator does not answer.
func (e *emulators) invoke(ctx context.Context, f *function, req lambdarun.Request) (lambdarun.Result, error) {
	turn, forget := e.turn(f.Code.URL)
	defer forget()
	select {
	case turn <- struct{}{}:
	default:
		if !req.Wait {
			return lambdarun.Result{}, lambdarun.ErrBusy
		}
		select {
		case turn <- struct{}{}:
		case <-ctx.Done():
			return lambdarun.Result{}, context.Cause(ctx)
		}
	}
	defer func() { <-turn }()
	timeout := time.Duration(f.Settings.Timeout) * time.Second
	limited, cancel := context.WithTimeout(ctx, timeout+e.grace)
	defer cancel()
	res, err := ask(limited, f, req)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return lambdarun.TimedOut(req.ID, timeout), nil // or one that hangs would be asked for ever
	}
	return res, err
}

func ask(ctx context.Context, f *function, req lambdarun.Request) (lambdarun.Result, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, f.Code.URL, bytes.NewReader(req.Payload))
	if err != nil {
		return lambdarun.Result{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return lambdarun.Result{}, unreachable(f, err)
	}
	defer resp.Body.Close()
	payload, err := io.ReadAll(io.LimitReader(resp.Body, lambdarun.MaxPayload+1))
	switch {
	case err != nil:
		return lambdarun.Result{}, unreachable(f, err)
	case resp.StatusCode != http.StatusOK:
		return lambdarun.Result{}, unreachable(f, fmt.Errorf("status %d: %.200s", resp.StatusCode, payload))
	case len(payload) > lambdarun.MaxPayload:
		return lambdarun.Result{}, unreachable(f, fmt.Errorf("an answer of over %d bytes", lambdarun.MaxPayload))
	}
	res := lambdarun.Result{Payload: payload, Failure: resp.Header.Get("X-Amz-Function-Error")}
	if res.Failure == "" && isFailure(payload) {
		res.Failure = lambdarun.Unhandled
	}
	return res, nil
}

// isFailure reports whether an answer is an error document: emulators do not say.
func isFailure(payload []byte) bool {
	var doc struct{ ErrorType, ErrorMessage *string }
	return json.Unmarshal(payload, &doc) == nil && doc.ErrorType != nil && doc.ErrorMessage != nil
}

func unreachable(f *function, err error) error {
	return fail("ResourceNotReadyException", 502, "The function %s does not answer at its URL: %v", f.Name, err)
}
