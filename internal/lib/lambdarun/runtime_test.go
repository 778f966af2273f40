package lambdarun

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// behaviour is the variable that makes the test binary a runtime. Its value says how that behaves.
const behaviour = "LAMBDARUN_TEST_RUNTIME"

func TestMain(m *testing.M) {
	if b := os.Getenv(behaviour); b != "" {
		os.Exit(behave(b))
	}
	os.Exit(m.Run())
}

// A client is a runtime's side of the Runtime API.
type client struct{ base string }

// send returns the answer's status, headers and body; it ends the process when the server is gone.
func (c client) send(method, path, body string, header ...string) (*http.Response, string) {
	req, err := http.NewRequest(method, c.base+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		os.Exit(3)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		os.Exit(3)
	}
	return resp, string(text)
}

// next returns the next event and its id.
func (c client) next() (event, id string) {
	resp, event := c.send("GET", "/runtime/invocation/next", "")
	return event, resp.Header.Get("Lambda-Runtime-Aws-Request-Id")
}

func (c client) answer(id, kind, body string, header ...string) string {
	resp, text := c.send("POST", "/runtime/invocation/"+id+"/"+kind, body, header...)
	return fmt.Sprintf("%d %s", resp.StatusCode, strings.TrimSpace(text))
}

// behave is what the test binary does as a runtime.
func behave(how string) int {
	c := client{"http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01"}
	switch how {
	case "exit":
		return 7
	case "init error":
		c.send("POST", "/runtime/init/error", `{"errorType":"Mine","errorMessage":"no"}`)
		time.Sleep(time.Hour)
	case "never asks":
		time.Sleep(time.Hour)
	}
	for {
		event, id := c.next()
		var order struct{ Do, With string }
		if err := json.Unmarshal([]byte(event), &order); err != nil {
			panic(err)
		}
		c.obey(id, order.Do, order.With)
	}
}

// obey does what an event says.
func (c client) obey(id, do, with string) {
	switch do {
	case "answer":
		fmt.Println("asked for", with)
		c.answer(id, "response", with)
	case "pid":
		c.answer(id, "response", strconv.Itoa(os.Getpid()))
	case "environment":
		dir, _ := os.Getwd()
		c.answer(id, "response", quote(os.Getenv(with)+" in "+dir))
	case "error":
		c.answer(id, "error", with, "Lambda-Runtime-Function-Error-Type", "Oops")
	case "handled":
		c.answer(id, "error", `{"errorMessage":"x"}`, "Lambda-Runtime-Function-Error-Type", Handled)
	case "exit":
		code, _ := strconv.Atoi(with)
		os.Exit(code)
	case "answer and exit":
		c.answer(id, "response", `"last"`)
		os.Exit(1)
	case "hang":
		time.Sleep(time.Hour)
	case "child":
		child := exec.Command("sleep", "3600")
		if err := child.Start(); err != nil {
			panic(err)
		}
		_ = os.WriteFile(with, []byte(strconv.Itoa(child.Process.Pid)), 0o600)
		time.Sleep(time.Hour)
	case "daemon": // answers, and leaves a child in a session of its own
		child := exec.Command("setsid", "--fork", "sh", "-c", `echo $$ > "$1.new"; mv "$1.new" "$1"; exec sleep 3600`, "sh", with)
		if err := child.Run(); err != nil {
			panic(err)
		}
		for _, err := os.Stat(with); err != nil; _, err = os.Stat(with) {
			time.Sleep(time.Millisecond)
		}
		c.answer(id, "response", "1")
	case "large":
		size, _ := strconv.Atoi(with)
		c.answer(id, "response", quote(strings.Repeat("x", size-2)))
	case "print":
		size, _ := strconv.Atoi(with)
		os.Stdout.WriteString(strings.Repeat("y", size))
		c.answer(id, "response", "1")
	case "break the rules":
		c.breakRules(id)
	}
}

// breakRules does what a runtime must not do, and answers with what it was told.
func (c client) breakRules(id string) {
	var said []string
	resp, text := c.send("GET", "/runtime/invocation/next", "")
	said = append(said, fmt.Sprint(resp.StatusCode, " ", strings.TrimSpace(text)))
	said = append(said, c.answer("another", "response", "1"))
	resp, _ = c.send("GET", "/runtime/invocation/next", "", "Origin", "http://localhost")
	said = append(said, fmt.Sprint("page ", resp.StatusCode))
	resp, _ = c.send("GET", "/runtime/nothing", "")
	said = append(said, fmt.Sprint("nothing ", resp.StatusCode))
	c.answer(id, "response", quote(strings.Join(said, "\n")))
	fmt.Println("twice:", c.answer(id, "response", "2"))
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// testFunction is a function whose runtime is the test binary.
func testFunction(t *testing.T, behaves string) *Function {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return &Function{
		ARN: "arn:aws:lambda:us-east-1:000000000000:function:" + t.Name(), Revision: "1", Name: t.Name(), Version: "$LATEST",
		Open:    func(context.Context) (string, func(), error) { return dir, func() {}, nil },
		Command: func(string) ([]string, error) { return []string{program}, nil },
		Env:     append(os.Environ(), behaviour+"="+behaves),
		Timeout: time.Minute, Memory: 128,
	}
}

// newRunner makes a runner that ends with the test; what functions print goes to the buffer.
func newRunner(t *testing.T, limit, perFunction int) (*Runner, *logBuffer) {
	t.Helper()
	var b logBuffer
	r := New(Config{Dir: t.TempDir(), Limit: limit, PerFunction: perFunction, Idle: time.Minute, Log: b.logger()})
	t.Cleanup(r.Close)
	return r, &b
}

// order is an event for the test binary.
func order(do, with string) Request {
	b, _ := json.Marshal(map[string]string{"Do": do, "With": with})
	return Request{ID: "id-of-" + strings.ReplaceAll(do, " ", "-"), Payload: b}
}

func check(t *testing.T, what string, res Result, failure, payload string) {
	t.Helper()
	if res.Failure != failure || string(res.Payload) != payload {
		t.Errorf("%s: got %q %s, want %q %s", what, res.Failure, res.Payload, failure, payload)
	}
}

func TestAnswers(t *testing.T) {
	r, _ := newRunner(t, 4, 2)
	f := testFunction(t, "obey")
	for _, tt := range []struct {
		do, with         string
		failure, payload string
	}{
		{"answer", `{"a":1}`, "", `{"a":1}`},
		{"answer", `not JSON`, "", `not JSON`},
		{"answer", ``, "", ``},
		{"error", `{"errorType":"Oops","errorMessage":"it broke"}`, Unhandled, `{"errorType":"Oops","errorMessage":"it broke"}`},
		{"error", `not JSON`, Unhandled, `{"errorType":"Oops","errorMessage":"not JSON"}`},
		{"handled", ``, Handled, `{"errorMessage":"x"}`},
		{"answer and exit", ``, "", `"last"`},
		{"answer", `"after an end that nobody asked for"`, "", `"after an end that nobody asked for"`},
		{"exit", "0", Unhandled, `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: id-of-exit Error: Runtime exited without providing a reason"}`},
		{"exit", "3", Unhandled, `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: id-of-exit Error: Runtime exited with error: exit status 3"}`},
		{"large", strconv.Itoa(maxAnswer), "", quote(strings.Repeat("x", maxAnswer-2))},
		{"large", strconv.Itoa(maxAnswer + 1), Unhandled,
			`{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`},
		{"break the rules", "", "", quote(`403 {"errorType":"InvalidStateTransition","errorMessage":"The event that was delivered last has no answer yet."}` + "\n" +
			`400 {"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}` + "\npage 403\nnothing 404")},
	} {
		res, err := r.Invoke(t.Context(), f, order(tt.do, tt.with))
		if err != nil {
			t.Fatalf("%s: %v", tt.do, err)
		}
		check(t, tt.do, res, tt.failure, tt.payload)
	}
}

func TestBeginnings(t *testing.T) {
	r, _ := newRunner(t, 4, 2)
	for _, tt := range []struct{ behaves, payload string }{
		{"exit", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: id-of-answer Error: Runtime exited with error: exit status 7"}`},
		{"init error", `{"errorType":"Mine","errorMessage":"no"}`},
	} {
		for range 2 {
			res, err := r.Invoke(t.Context(), testFunction(t, tt.behaves), order("answer", "1"))
			if err != nil {
				t.Fatal(err)
			}
			check(t, tt.behaves, res, Unhandled, tt.payload)
		}
	}
	missing := testFunction(t, "x")
	missing.Command = func(string) ([]string, error) { return []string{"/nonexistent/program"}, nil }
	res, err := r.Invoke(t.Context(), missing, order("answer", "1"))
	if err != nil || res.Failure != Unhandled || !strings.Contains(string(res.Payload), `"errorType":"Runtime.InvalidEntrypoint"`) {
		t.Errorf("no program: %s, %v", res.Payload, err)
	}
	noCode := testFunction(t, "x")
	noCode.Open = func(context.Context) (string, func(), error) { return "", nil, io.ErrUnexpectedEOF }
	if _, err := r.Invoke(t.Context(), noCode, order("answer", "1")); err != io.ErrUnexpectedEOF {
		t.Errorf("no code: %v", err)
	}
}

// TestTimeout: a process that does not answer in time is ended with its children.
func TestTimeout(t *testing.T) {
	r, _ := newRunner(t, 4, 2)
	f := testFunction(t, "obey")
	f.Timeout = 300 * time.Millisecond
	file := t.TempDir() + "/pid"
	res, err := r.Invoke(t.Context(), f, order("child", file))
	if err != nil {
		t.Fatal(err)
	}
	check(t, "child", res, Unhandled, `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: id-of-child Error: Task timed out after 0.30 seconds"}`)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Skip("the child was not started within the timeout:", err)
	}
	pid, _ := strconv.Atoi(string(bytes.TrimSpace(text)))
	eventually(t, "the child ends", func() bool { return !alive(pid) })
	res, err = r.Invoke(t.Context(), f, order("answer", "1"))
	if err != nil {
		t.Fatal(err)
	}
	check(t, "after a timeout", res, "", "1")
}
