package lambda_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grammedb/gramme"
	"github.com/grammedb/gramme/grammetest"
	"github.com/grammedb/gramme/internal/lib/sigv4"
)

func withFunctions(c *gramme.Config) { c.Functions = true }

// An answer is what a call came to.
type answer struct {
	status int
	header http.Header
	body   string
}

// call signs and sends a call of Lambda.
func call(t *testing.T, s *grammetest.Server, method, path, body string, header ...string) answer {
	t.Helper()
	return send(t, s, "lambda", method, "/2015-03-31"+path, body, header...)
}

// table signs and sends a call of DynamoDB, which succeeds.
func table(t *testing.T, s *grammetest.Server, operation, body string) string {
	t.Helper()
	a := send(t, s, "dynamodb", "POST", "/", body, "X-Amz-Target", "DynamoDB_20120810."+operation, "Content-Type", "application/x-amz-json-1.0")
	if a.status != 200 {
		t.Fatal(a.body)
	}
	return a.body
}

func send(t *testing.T, s *grammetest.Server, service, method, path, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, grammetest.Endpoint+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	req.Header.Set("X-Amz-Date", sigv4.FormatTime(time.Now()))
	req.Header.Set("Authorization", sigv4.Sign(&sigv4.Request{
		Method: method, Path: req.URL.EscapedPath(), RawQuery: req.URL.RawQuery, Body: []byte(body),
		Header: func(name string) string {
			if name == "host" {
				return req.URL.Host
			}
			return req.Header.Get(name)
		},
	}, []string{"host", "x-amz-date"}, sigv4.Credentials{AccessKey: s.AccessKey, Secret: s.SecretKey}, s.Region, service))
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

func (a answer) check(t *testing.T, status int, part string) {
	t.Helper()
	if a.status != status || !strings.Contains(a.body, part) {
		t.Errorf("got %d %s, want %d %s", a.status, a.body, status, part)
	}
}

// packed returns a zip archive in base64.
func packed(t *testing.T, name, content string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// create makes a function from Python code.
func create(t *testing.T, s *grammetest.Server, name, code string) {
	t.Helper()
	body := fmt.Sprintf(`{"FunctionName":%q,"Runtime":"python3.12","Role":"arn:aws:iam::000000000000:role/r","Handler":"app.handler","Timeout":30,`+
		`"Code":{"ZipFile":%q}}`, name, packed(t, "app.py", code))
	call(t, s, "POST", "/functions", body).check(t, 201, name)
}

// createAt makes a function that runs in an emulator.
func createAt(t *testing.T, s *grammetest.Server, name, url string) {
	t.Helper()
	body := fmt.Sprintf(`{"FunctionName":%q,"PackageType":"Image","Role":"arn:aws:iam::000000000000:role/r","Code":{"ImageUri":%q}}`, name, url)
	call(t, s, "POST", "/functions", body).check(t, 201, name)
}

// eventually waits for something that happens in the background.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain until", what)
		}
	}
}

// TestOff: a server that was not told to runs no functions, and says so whatever it is asked.
func TestOff(t *testing.T) {
	s := grammetest.New(t)
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/functions", "{}"}, {"GET", "/functions", ""}, {"POST", "/functions/f/invocations", "not JSON"},
		{"DELETE", "/functions/f", ""}, {"GET", "/event-source-mappings", ""},
	} {
		call(t, s, c.method, c.path, c.body).check(t, 403, "start it with access keys and --functions")
	}
}

func TestNoKeys(t *testing.T) {
	if _, err := gramme.Open(t.Context(), gramme.Config{Memory: true, Functions: true}); err == nil || !strings.Contains(err.Error(), "access keys") {
		t.Errorf("error %v", err)
	}
}

// TestRestart: functions, with code larger than an item, and invocations that nobody waits for survive the end of the server.
func TestRestart(t *testing.T) {
	var asked sync.Map
	here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked.Store(string(body), true)
		io.WriteString(w, "null")
	}))
	defer here.Close()
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()

	dir := t.TempDir()
	open := func() *grammetest.Server {
		s, err := grammetest.Open(withFunctions, func(c *gramme.Config) { c.Memory, c.Dir = false, dir })
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	noise := make([]byte, 700_000)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = "0123456789abcdef"[x>>28]
	}
	create(t, s, "large", "noise = '"+string(noise)+"'\ndef handler(event, context):\n    return len(noise)")
	createAt(t, s, "away", down.URL)
	call(t, s, "POST", "/functions/away/invocations", `"later"`, "X-Amz-Invocation-Type", "Event").check(t, 202, "")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open()
	defer s.Close()
	call(t, s, "POST", "/functions/large/invocations", "").check(t, 200, "700000")
	call(t, s, "PUT", "/functions/away/code", fmt.Sprintf(`{"ImageUri":%q}`, here.URL)).check(t, 200, "away")
	eventually(t, "the event arrives", func() bool {
		s.Advance(time.Minute)
		_, ok := asked.Load(`"later"`)
		return ok
	})
}

// TestEmulator: a function may be what answers at a URL.
func TestEmulator(t *testing.T) {
	s := grammetest.New(t, withFunctions)
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case r.URL.Path != "/2015-03-31/functions/function/invocations":
			http.NotFound(w, r)
		case string(body) == `"fail"`:
			io.WriteString(w, `{"errorType":"Oops","errorMessage":"no"}`)
		case string(body) == `"refuse"`:
			w.WriteHeader(500)
		default:
			w.Write(body)
		}
	}))
	createAt(t, s, "there", there.URL)
	for _, tt := range []struct {
		event  string
		status int
		body   string
		failed string
	}{
		{`{"a":1}`, 200, `{"a":1}`, ""},
		{`"fail"`, 200, `{"errorType":"Oops","errorMessage":"no"}`, "Unhandled"},
		{`"refuse"`, 502, `does not answer at its URL: status 500`, ""},
	} {
		a := call(t, s, "POST", "/functions/there/invocations", tt.event)
		a.check(t, tt.status, tt.body)
		if got := a.header.Get("X-Amz-Function-Error"); got != tt.failed {
			t.Errorf("%s: X-Amz-Function-Error: %q", tt.event, got)
		}
	}
	there.Close()
	a := call(t, s, "POST", "/functions/there/invocations", "1")
	a.check(t, 502, "does not answer")
	if got := a.header.Get("x-amzn-ErrorType"); got != "ResourceNotReadyException" {
		t.Error(got)
	}
	call(t, s, "GET", "/functions/there", "").check(t, 200, fmt.Sprintf(`"ImageUri":%q`, there.URL+"/2015-03-31/functions/function/invocations"))
}

// TestRetries: an asynchronous invocation that fails is tried twice more.
func TestRetries(t *testing.T) {
	s := grammetest.New(t, withFunctions)
	var mu sync.Mutex
	var events []string
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		events = append(events, string(body))
		io.WriteString(w, `{"errorType":"Oops","errorMessage":"no"}`)
	}))
	defer there.Close()
	createAt(t, s, "there", there.URL)
	call(t, s, "POST", "/functions/there/invocations", "1", "X-Amz-Invocation-Type", "Event").check(t, 202, "")
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(events)
	}
	polls := 0
	for n := 1; n <= 3; n++ {
		eventually(t, fmt.Sprint("try ", n), func() bool {
			if polls++; polls%100 == 0 { // slowly, for what is too old is not tried again
				s.Advance(2 * time.Minute)
			}
			return count() >= n
		})
	}
	call(t, s, "POST", "/functions/there/invocations", "2", "X-Amz-Invocation-Type", "Event").check(t, 202, "")
	eventually(t, "the next event", func() bool { return count() == 4 })
	if got := strings.Join(events, ""); got != "1112" {
		t.Errorf("events: %s", got)
	}
}

// TestBusy: what finds no process is told to come again.
func TestBusy(t *testing.T) {
	s := grammetest.New(t, withFunctions)
	asked, answered := make(chan bool), make(chan bool)
	there := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- true
		<-answered
	}))
	defer there.Close()
	createAt(t, s, "there", there.URL)
	first := make(chan answer)
	go func() { first <- call(t, s, "POST", "/functions/there/invocations", "1") }()
	<-asked
	a := call(t, s, "POST", "/functions/there/invocations", "2")
	a.check(t, 429, `{"Type":"User","message":"Rate Exceeded.","Reason":"ConcurrentInvocationLimitExceeded"}`)
	answered <- true
	(<-first).check(t, 200, "")
}

// TestPages: lists come in pages.
func TestPages(t *testing.T) {
	s := grammetest.New(t, withFunctions)
	for _, name := range []string{"c", "a", "b"} {
		createAt(t, s, name, "http://127.0.0.1:9")
	}
	var names []string
	for marker := ""; ; {
		var page struct {
			Functions  []struct{ FunctionName string }
			NextMarker string
		}
		a := call(t, s, "GET", "/functions?MaxItems=2&Marker="+marker, "")
		if err := json.Unmarshal([]byte(a.body), &page); err != nil {
			t.Fatal(a.body, err)
		}
		for _, f := range page.Functions {
			names = append(names, f.FunctionName)
		}
		if marker = page.NextMarker; marker == "" {
			break
		}
	}
	if got := strings.Join(names, " "); got != "a b c" {
		t.Error(got)
	}
	call(t, s, "GET", "/functions?Marker=*", "").check(t, 400, "Invalid marker")
}

// TestTooLong: what is too long to be kept or looked for is refused in Lambda's words.
func TestTooLong(t *testing.T) {
	s := grammetest.New(t, withFunctions)
	long := strings.Repeat("x", 2000)
	call(t, s, "GET", "/functions?Marker="+long, "").check(t, 400, "Invalid marker")
	call(t, s, "GET", "/event-source-mappings?Marker="+long, "").check(t, 400, "Invalid marker")
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		call(t, s, method, "/event-source-mappings/"+long, "{}").check(t, 404, "The resource you requested does not exist.")
	}
	body := func(members string) string {
		return `{"FunctionName":"f","PackageType":"Image","Role":"arn:aws:iam::000000000000:role/r",` + members + `}`
	}
	tags, err := json.Marshal(map[string]string{"k": strings.Repeat("v", 257)})
	if err != nil {
		t.Fatal(err)
	}
	call(t, s, "POST", "/functions", body(`"Code":{"ImageUri":"http://127.0.0.1:9"},"Tags":`+string(tags))).check(t, 400, "at most 50 tags")
	call(t, s, "POST", "/functions", body(`"Code":{"ImageUri":"http://127.0.0.1:9/`+long+long+`"}`)).check(t, 400, "ImageUri is the URL")
}

// TestCodeWhileRunning: code that is replaced while it runs stays until its last process ends.
func TestCodeWhileRunning(t *testing.T) {
	s := grammetest.New(t, withFunctions)
	code := "import importlib, os, time\ndef handler(event, context):\n    open(event, 'w').close()\n" +
		"    while os.path.exists(event): time.sleep(0.01)\n    return importlib.import_module('app').__name__ + ' %s'"
	create(t, s, "f", fmt.Sprintf(code, "old"))
	file := t.TempDir() + "/running"
	first := make(chan answer)
	event, _ := json.Marshal(file)
	go func() { first <- call(t, s, "POST", "/functions/f/invocations", string(event)) }()
	eventually(t, "the function runs", func() bool { return exists(file) })
	call(t, s, "PUT", "/functions/f/code", fmt.Sprintf(`{"ZipFile":%q}`, packed(t, "app.py", "def handler(e, c): return 'new'"))).check(t, 200, "")
	call(t, s, "POST", "/functions/f/invocations", "1").check(t, 200, `"new"`)
	remove(t, file)
	(<-first).check(t, 200, `"app old"`)
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}
