package lambda

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/grammedb/gramme/internal/lib/lambdarun"
)

// TestEmulatorHangs: an emulator that does not answer in time is a function that timed out; a caller that gives up is not.
func TestEmulatorHangs(t *testing.T) {
	called, release := make(chan bool, 2), make(chan bool)
	there := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		called <- true
		<-release
	}))
	defer there.Close()
	defer close(release)
	var e emulators // without grace
	f := &function{Name: "f", Code: code{URL: there.URL}}
	res, err := e.invoke(t.Context(), f, lambdarun.Request{ID: "7", Payload: []byte("1")})
	if err != nil || res.Failure != lambdarun.Unhandled || string(res.Payload) != `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 7 Error: Task timed out after 0.00 seconds"}` {
		t.Errorf("%s, %v", res.Payload, err)
	}

	f.Settings.Timeout = 900
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	for len(called) > 0 {
		<-called
	}
	go func() {
		_, err := e.invoke(ctx, f, lambdarun.Request{ID: "8", Payload: []byte("1")})
		ended <- err
	}()
	<-called
	if _, err := e.invoke(t.Context(), f, lambdarun.Request{}); !errors.Is(err, lambdarun.ErrBusy) {
		t.Errorf("a second event at once: %v", err)
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("a caller that gave up got an answer")
	}
	if len(e.turns) != 0 {
		t.Errorf("the turns of %d emulators are remembered that nobody asks", len(e.turns))
	}
}
