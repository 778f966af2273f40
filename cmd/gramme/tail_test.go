package main

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	httpclient "github.com/grammedb/gramme/internal/bench/client"
)

// A tailTest is a server with a table, and a client of it.
type tailTest struct {
	*testing.T
	url    string
	client *client
}

func newTailTest(t *testing.T, flags ...string) *tailTest {
	t.Helper()
	p := start(t, false, append([]string{"serve", "--memory", "--listen", "127.0.0.1:0", "--key", "local:local"}, flags...)...)
	url := strings.TrimPrefix(p.line(t), "gramme: ready on ")
	c, err := newClient(url, "", func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	tt := &tailTest{t, url, c}
	tt.call("CreateTable", `{"TableName":"Music","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"}],"KeySchema":[{"AttributeName":"a","KeyType":"HASH"}]}`)
	return tt
}

func (t *tailTest) call(op, body string) {
	t.Helper()
	if err := t.client.call(t.Context(), op, json.RawMessage(body), new(struct{})); err != nil {
		t.Fatalf("%s: %v", op, err)
	}
}

func (t *tailTest) stream(enabled bool) {
	t.Helper()
	spec := `{"StreamEnabled":false}`
	if enabled {
		spec = `{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}`
	}
	t.call("UpdateTable", `{"TableName":"Music","StreamSpecification":`+spec+`}`)
}

func (t *tailTest) put(n int) {
	t.Helper()
	t.call("PutItem", fmt.Sprintf(`{"TableName":"Music","Item":{"a":{"S":"x"},"n":{"N":"%d"}}}`, n))
}

// tail starts the command, with flags on both sides of the table.
func (t *tailTest) tail(flags ...string) *process {
	t.Helper()
	return start(t.T, false, append([]string{"tail", "--endpoint", t.url, "Music"}, flags...)...)
}

// expect reads a line and compares the event and n of its record.
func (t *tailTest) expect(p *process, want string) {
	t.Helper()
	var rec struct {
		EventName string
		Dynamodb  struct {
			NewImage struct{ N struct{ N string } }
		}
	}
	line := p.line(t.T)
	if err := json.Unmarshal([]byte(line), &rec); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if got := rec.EventName + " " + rec.Dynamodb.NewImage.N.N; got != want {
		t.Errorf("printed %s, want %s", line, want)
	}
}

func TestTail(t *testing.T) {
	tt := newTailTest(t)
	tt.stream(true)
	tt.put(1)
	all := tt.tail("--from", "horizon")
	tt.expect(all, "INSERT 1")
	tt.put(2)
	tt.expect(all, "MODIFY 2")
	tt.call("DeleteItem", `{"TableName":"Music","Key":{"a":{"S":"x"}}}`)
	tt.expect(all, "REMOVE ")
	tt.put(3)
	tt.stream(false)
	tt.expect(all, "INSERT 3")
	if _, err := all.lines.ReadString('\n'); err == nil { // the stream is over, so is the command
		t.Error("it printed more")
	}
	if status := <-all.status; status != 0 || !strings.Contains(all.errs.String(), "read to its end") {
		t.Errorf("status %d, %s", status, all.errs)
	}
}

// TestTailLatest: without a flag only what comes is printed. When the command has got its iterators only its first line tells.
func TestTailLatest(t *testing.T) {
	tt := newTailTest(t)
	tt.stream(true)
	tt.put(-1)
	p := tt.tail()
	lines := make(chan string, 1)
	go func() {
		line, _ := p.lines.ReadString('\n')
		lines <- line
	}()
	for n := 0; ; n++ {
		tt.put(n)
		select {
		case line := <-lines:
			if !strings.Contains(line, `"n":{"N":"`) || strings.Contains(line, `"N":"-1"`) {
				t.Errorf("printed %s", line)
			}
			p.end(t)
			return
		case <-time.After(10 * time.Millisecond): // between two writes
		}
	}
}

// TestTailEnables switches a stream on, and follows its shards to their children.
func TestTailEnables(t *testing.T) {
	tt := newTailTest(t, "--stream-shard-age", "150ms")
	p := tt.tail("--enable")
	first := make(chan string, 1)
	go func() {
		line, _ := p.lines.ReadString('\n')
		first <- line
	}()
	n := 0
	for waiting := true; waiting; n++ { // what is written before there is a stream is not told
		tt.put(n)
		select {
		case line := <-first:
			waiting = false
			if !strings.Contains(line, `"StreamViewType":"NEW_AND_OLD_IMAGES"`) {
				t.Errorf("printed %s", line)
			}
		case <-time.After(10 * time.Millisecond): // between two writes
		}
	}
	shards := map[string]bool{}
	for ; len(shards) < 4; n++ { // parents and children
		tt.put(n)
		line := p.line(t)
		for !strings.Contains(line, fmt.Sprintf(`"NewImage":{"a":{"S":"x"},"n":{"N":"%d"}}`, n)) {
			line = p.line(t)
		}
		_, sequence, _ := strings.Cut(line, `"SequenceNumber":"`)
		sequence, _, _ = strings.Cut(sequence, `"`)
		shards[sequence[:len(sequence)-20]] = true
	}
	p.end(t)
}

// fakeStreams answers each operation by the next of its answers, or again by the last one; one that is no object is the code of an error.
type fakeStreams map[string][]string

func (f fakeStreams) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	answer := f[op][0]
	if len(f[op]) > 1 {
		f[op] = f[op][1:]
	}
	if !strings.HasPrefix(answer, "{") {
		w.WriteHeader(http.StatusBadRequest)
		answer = fmt.Sprintf(`{"__type":"x#%s"}`, answer)
	}
	fmt.Fprint(w, answer)
}

// TestTailAfterALongSleep: the machine slept until the shard was no more. Its child is read then.
func TestTailAfterALongSleep(t *testing.T) {
	server := httptest.NewServer(fakeStreams{
		"DescribeTable": {`{"Table":{"LatestStreamArn":"arn","StreamSpecification":{"StreamEnabled":true}}}`},
		"DescribeStream": {
			`{"StreamDescription":{"StreamStatus":"ENABLED","Shards":[{"ShardId":"gone","SequenceNumberRange":{"EndingSequenceNumber":"1"}},{"ShardId":"parent","ParentShardId":"gone"}]}}`,
			`{"StreamDescription":{"StreamStatus":"DISABLED","Shards":[{"ShardId":"child","ParentShardId":"parent","SequenceNumberRange":{"EndingSequenceNumber":"1"}}]}}`,
		},
		"GetShardIterator": {`{"ShardIterator":"of the parent"}`, "ResourceNotFoundException", `{"ShardIterator":"of the child"}`},
		"GetRecords":       {"ExpiredIteratorException", `{"Records":[{"eventID":"<1>", "dynamodb":{"SequenceNumber":"1"}}]}`},
	})
	defer server.Close()
	status, out, errs := runLine(nil, "tail", "--endpoint", server.URL, "Music")
	if want := `{"eventID":"<1>","dynamodb":{"SequenceNumber":"1"}}` + "\n"; status != 0 || out != want {
		t.Errorf("status %d, %s", status, out)
	}
	for _, want := range []string{"changes since then may be left out", "shard parent is kept no longer", "read to its end"} {
		if !strings.Contains(errs, want) {
			t.Errorf("it says %s, and nothing of: %s", errs, want)
		}
	}
}

// TestTailTLS: a server's own certificate is trusted if AWS_CA_BUNDLE names it.
func TestTailTLS(t *testing.T) {
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"__type":"x#Reached","message":""}`)
	}))
	front.Config.ErrorLog = log.New(io.Discard, "", 0)
	front.StartTLS()
	defer front.Close()
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"": "certificate", bundle: "Reached", bundle + "x": "AWS_CA_BUNDLE"} {
		_, _, errs := runLine(map[string]string{"AWS_CA_BUNDLE": file}, "tail", "--endpoint", front.URL, "Music")
		if !strings.Contains(errs, want) {
			t.Errorf("with %q: %q, want %q", file, errs, want)
		}
	}
}

// TestTailProxy: a server that is not on this machine is reached through the proxy of the environment. A process looks at that once, so
// the command is run in one of its own.
func TestTailProxy(t *testing.T) {
	if os.Getenv("HTTP_PROXY") == "http://"+os.Getenv("GRAMME_TEST_PROXY") {
		_, _, errs := runLine(nil, "tail", "--endpoint", "http://db.example:8000", "Music")
		fmt.Print(errs)
		return
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		fmt.Fprintf(w, `{"__type":"x#Proxied","message":"%s"}`, r.URL)
	}))
	defer proxy.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestTailProxy$")
	cmd.Env = append(os.Environ(), "HTTP_PROXY="+proxy.URL, "GRAMME_TEST_PROXY="+strings.TrimPrefix(proxy.URL, "http://"), "NO_PROXY=")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Proxied: http://db.example:8000/") {
		t.Errorf("%s, %v", out, err)
	}
}

func TestTailRefusals(t *testing.T) {
	tt := newTailTest(t)
	for _, c := range []struct {
		args []string
		err  string
	}{
		{[]string{"tail"}, "tail takes the name of one table; see: gramme help tail"},
		{[]string{"tail", "a", "b"}, "tail takes the name of one table"},
		{[]string{"tail", "--from", "here", "Music"}, "--from here: want horizon or latest"},
		{[]string{"tail", "--nothing", "Music"}, "flag provided but not defined: -nothing; see: gramme help tail"},
		{[]string{"tail", "--endpoint", "nowhere", "Music"}, "--endpoint \"nowhere\" is not a URL"},
		{[]string{"tail", "--endpoint", tt.url, "Music"}, "table Music has no stream: give it one with --enable"},
		{[]string{"tail", "--endpoint", tt.url, "None"}, "ResourceNotFoundException: Requested resource not found: Table: None not found"},
		{[]string{"tail", "--endpoint", "http://127.0.0.1:1", "Music"}, "no answer from the server"},
	} {
		status, out, errs := runLine(nil, c.args...)
		if status == 0 || out != "" || !strings.Contains(errs, c.err) {
			t.Errorf("%v: status %d, %q, %q, want %q", c.args, status, out, errs, c.err)
		}
	}
	for _, args := range [][]string{{"help", "tail"}, {"tail", "--help"}} {
		if status, out, _ := runLine(nil, args...); status != 0 || !strings.Contains(out, "--from where") {
			t.Errorf("%v: status %d, %q", args, status, out)
		}
	}
}

func TestEnvironmentOfAClient(t *testing.T) {
	env := map[string]string{"AWS_ENDPOINT_URL": "https://dynamodb.eu-west-1.amazonaws.com", "AWS_DEFAULT_REGION": "eu-west-1",
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
	r, err := findRemote("", "", func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	if want := (httpclient.Credentials{AccessKey: "id", Secret: "secret", Token: "token", Region: "eu-west-1"}); r.cred != want {
		t.Errorf("%+v", r.cred)
	}
	if r.url != "https://dynamodb.eu-west-1.amazonaws.com" || r.streams() != "https://streams.dynamodb.eu-west-1.amazonaws.com" {
		t.Errorf("tables at %s, streams at %s", r.url, r.streams())
	}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{errorOf(&httpclient.Response{Status: 500, Body: []byte(`{"__type":"x#InternalServerError"}`)}), true},
		{errorOf(&httpclient.Response{Status: 503, Body: []byte(`busy`)}), true},
		{errorOf(&httpclient.Response{Status: 400, Body: []byte(`{"__type":"x#ThrottlingException","Message":"m"}`)}), true},
		{errorOf(&httpclient.Response{Status: 400, Body: []byte(`{"__type":"x#ValidationException","message":"m"}`)}), false},
		{fmt.Errorf("%w: gone", errUnreachable), true},
		{fmt.Errorf("standard output is closed"), false},
	} {
		if got := passing(c.err); got != c.want {
			t.Errorf("%v may pass: %v", c.err, got)
		}
	}
}
