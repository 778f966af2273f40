package lambdarun

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func newInterpreters(t *testing.T) *Interpreters {
	t.Helper()
	i, err := NewInterpreters(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// interpreted returns a function of a runtime whose code is a directory of testdata.
func interpreted(t *testing.T, bootstraps *Interpreters, runtime, dir, handler string) *Function {
	t.Helper()
	code, err := filepath.Abs(filepath.Join("testdata", dir))
	if err != nil {
		t.Fatal(err)
	}
	return &Function{
		ARN: "arn:" + handler, Revision: "1", Name: "f", Version: "$LATEST",
		Open:    func(context.Context) (string, func(), error) { return code, func() {}, nil },
		Command: bootstraps.Command(runtime),
		Env: []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "SystemRoot=" + os.Getenv("SystemRoot"),
			"_HANDLER=" + handler, "AWS_LAMBDA_FUNCTION_NAME=f", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
			"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128", "AWS_LAMBDA_LOG_GROUP_NAME=g", "AWS_LAMBDA_LOG_STREAM_NAME=s", "PYTHONDONTWRITEBYTECODE=1",
		},
		Timeout: time.Minute, Memory: 128,
	}
}

// A handlerTest is one invocation of a handler of testdata, with a part of the answer and of the log.
type handlerTest struct{ handler, event, failure, payload, log string }

func testHandlers(t *testing.T, runtime, dir string, tests []handlerTest) {
	t.Parallel()
	r, _ := newRunner(t, 4, 4)
	bootstraps := newInterpreters(t)
	for _, tt := range tests {
		f := interpreted(t, bootstraps, runtime, dir, tt.handler)
		res, err := r.Invoke(t.Context(), f, Request{ID: "7", Payload: []byte(tt.event), ClientContext: `{"custom":{"k":"v"}}`})
		if err != nil {
			t.Fatalf("%s: %v", tt.handler, err)
		}
		if res.Failure != tt.failure || !strings.Contains(string(res.Payload), tt.payload) {
			t.Errorf("%s: got %q %s, want %q %s", tt.handler, res.Failure, res.Payload, tt.failure, tt.payload)
		}
		if !strings.Contains(string(res.Log), tt.log) {
			t.Errorf("%s: the log has no %q:\n%s", tt.handler, tt.log, res.Log)
		}
	}
}

func TestPython(t *testing.T) {
	testHandlers(t, "python3.12", "python", []handlerTest{
		{"app.echo", `{"a":[1,null]}`, "", `{"a": [1, null]}`, "got {'a': [1, None]}\n"},
		{"app.context_of", `{}`, "", `{"id": "7", "arn": "arn:app.context_of", "name": "f", "memory": "128", "left": true, "client": {"k": "v"}, "root": true}`, ""},
		{"app.unicode", `"ü"`, "", `"éü"`, "é\n"},
		{"app.decimals", `{}`, "", `[3, 2.5]`, ""},
		{"pkg.inner.handler", `{}`, "", `"in a package"`, ""},
		{"pkg/inner.handler", `{}`, "", `"in a package"`, ""},
		{"app.fail", `{}`, Unhandled, `{"errorMessage": "'missing'", "errorType": "KeyError", "requestId": "7", "stackTrace": ["  File \"`, "[ERROR] KeyError: 'missing'\nTraceback"},
		{"app.unserializable", `{}`, Unhandled, `"errorMessage": "Unable to marshal response: Object of type set is not JSON serializable", "errorType": "Runtime.MarshalError"`, ""},
		{"app.leave", `{}`, Unhandled, `Runtime exited with error: exit status 4`, "leaving"},
		{"app.nothing", `{}`, Unhandled, `"errorMessage": "Handler 'nothing' missing on module 'app'", "errorType": "Runtime.HandlerNotFound"`, ""},
		{"nowhere.handler", `{}`, Unhandled, `"errorMessage": "Unable to import module 'nowhere': No module named 'nowhere'", "errorType": "Runtime.ImportModuleError"`, ""},
		{"lost.handler", `{}`, Unhandled, `Unable to import module 'lost': No module named 'nothing_of_that_name'`, ""},
		{"broken.handler", `{}`, Unhandled, `"errorType": "Runtime.UserCodeSyntaxError"`, ""},
		{"handler", `{}`, Unhandled, `"errorType": "Runtime.MalformedHandlerName"`, ""},
	})
}

func TestNode(t *testing.T) {
	testHandlers(t, "nodejs20.x", "node", []handlerTest{
		{"app.echo", `{"a":[1,null]}`, "", `{"a":[1,null]}`, `got {"a":[1,null]}`},
		{"app.contextOf", `{}`, "", `{"id":"7","arn":"arn:app.contextOf","name":"f","memory":"128","left":true,"client":{"k":"v"},"root":true}`, ""},
		{"app.callback", `{}`, "", `"called back"`, ""},
		{"app.nothing", `{}`, "", `null`, ""},
		{"module.handler", `{}`, "", `"a module"`, ""},
		{"lib/inner.handler", `{}`, "", `"in a directory"`, ""},
		{"app.fail", `{}`, Unhandled, `{"errorType":"TypeError","errorMessage":"missing","trace":["TypeError: missing","    at `, "TypeError: missing"},
		{"app.callbackError", `{}`, Unhandled, `{"errorType":"Error","errorMessage":"called back"`, ""},
		{"app.throwsText", `{}`, Unhandled, `{"errorType":"string","errorMessage":"a text","trace":[]}`, ""},
		{"app.circular", `{}`, Unhandled, `{"errorType":"Runtime.MarshalError","errorMessage":"Unable to marshal response: Converting circular structure`, ""},
		{"app.leave", `{}`, Unhandled, `Runtime exited with error: exit status 4`, "leaving"},
		{"app.later", `{}`, Unhandled, `{"errorType":"Runtime.UnhandledException","errorMessage":"Error: nobody catches it"`, ""},
		{"app.value", `{}`, Unhandled, `{"errorType":"Runtime.HandlerNotFound","errorMessage":"app.value is not a function"`, ""},
		{"app.missing", `{}`, Unhandled, `{"errorType":"Runtime.HandlerNotFound","errorMessage":"app.missing is undefined or not exported"`, ""},
		{"nowhere.handler", `{}`, Unhandled, `{"errorType":"Runtime.ImportModuleError","errorMessage":"Error: Cannot find module 'nowhere'"`, ""},
		{"lost.handler", `{}`, Unhandled, `"errorType":"Runtime.ImportModuleError"`, ""},
		{"broken.handler", `{}`, Unhandled, `"errorType":"Runtime.UserCodeSyntaxError"`, ""},
		{"handler", `{}`, Unhandled, `"errorType":"Runtime.MalformedHandlerName"`, ""},
	})
}

// TestStateAndTimeout: a process keeps its state from one event to the next, and a handler that computes for ever is ended.
func TestStateAndTimeout(t *testing.T) {
	for _, tt := range []struct{ runtime, dir, second string }{
		{"python3.12", "python", `{"calls": 2}`},
		{"nodejs20.x", "node", `{"calls":2}`},
	} {
		r, _ := newRunner(t, 4, 4)
		bootstraps := newInterpreters(t)
		f := interpreted(t, bootstraps, tt.runtime, tt.dir, "app.count")
		var last Result
		for range 2 {
			var err error
			if last, err = r.Invoke(t.Context(), f, Request{ID: "7", Payload: []byte("{}")}); err != nil {
				t.Fatal(err)
			}
		}
		check(t, tt.runtime, last, "", tt.second)

		f = interpreted(t, bootstraps, tt.runtime, tt.dir, "app.hang")
		f.Timeout = 200 * time.Millisecond
		res, err := r.Invoke(t.Context(), f, Request{ID: "7", Payload: []byte("{}")})
		if err != nil {
			t.Fatal(err)
		}
		check(t, tt.runtime, res, Unhandled, `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 7 Error: Task timed out after 0.20 seconds"}`)
	}
}

func TestProvided(t *testing.T) {
	r, _ := newRunner(t, 4, 4)
	res, err := r.Invoke(t.Context(), interpreted(t, newInterpreters(t), "provided.al2023", "node", "x"), Request{ID: "7", Payload: []byte("{}")})
	if err != nil || !strings.Contains(string(res.Payload), `"errorType":"Runtime.InvalidEntrypoint","errorMessage":"`) {
		t.Errorf("%s %v", res.Payload, err)
	}
	f := testFunction(t, "obey")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, _, _ := f.Open(t.Context())
	name := "bootstrap" + filepath.Ext(program)
	if filepath.Ext(program) == ".test" {
		name = "bootstrap"
	}
	if err := os.Symlink(program, filepath.Join(dir, name)); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	f.Command = (*Interpreters)(nil).Command("provided.al2023")
	pid(t, r, f)
}

func TestRuns(t *testing.T) {
	for name, want := range map[string]bool{
		"python3.12": true, "python3.9": true, "nodejs20.x": true, "provided": true, "provided.al2": true, "provided.al2023": true,
		"python2.7": false, "nodejs": false, "java21": false, "go1.x": false, "": false,
	} {
		if Runs(name) != want {
			t.Errorf("Runs(%q) = %v", name, !want)
		}
	}
}
