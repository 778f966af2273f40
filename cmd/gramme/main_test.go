package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme"
	"github.com/grammedb/gramme/internal/lib/sigv4"
)

// runLine runs a command line to its end.
func runLine(env map[string]string, args ...string) (status int, out, errs string) {
	var o, e bytes.Buffer
	std := stdio{out: &o, err: &e, getenv: func(k string) string { return env[k] }}
	status = run(context.Background(), args, std)
	return status, o.String(), e.String()
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, tt := range []struct {
		args   []string
		env    map[string]string
		status int
		out    string // part of standard output
		err    string // part of standard error
	}{
		{args: nil, out: "gramme serve"},
		{args: []string{"help"}, out: "gramme serve"},
		{args: []string{"-h"}, out: "gramme serve"},
		{args: []string{"--help"}, out: "gramme serve"},
		{args: []string{"help", "serve"}, out: "--key-file file"},
		{args: []string{"serve", "--help"}, out: "--key-file file"},
		{args: []string{"help", "nothing"}, status: 2, err: `there is no command "nothing"`},
		{args: []string{"version"}, out: "gramme "},
		{args: []string{"--version"}, out: "gramme "},
		{args: []string{"version", "x"}, status: 2, err: "version takes no arguments"},
		{args: []string{"surve"}, status: 2, err: `there is no command "surve"; see: gramme help`},
		{args: []string{"--port", "1"}, status: 2, err: "a command comes before --port, like: gramme serve --port; see: gramme help"},
		{args: []string{"help", "help"}, out: "gramme serve"},
		{args: []string{"-version"}, out: "gramme "},
		{args: []string{"-listen", "x"}, status: 1, err: "flag provided but not defined: -listen (a command line that begins with one dash is DynamoDB Local's"},

		{args: []string{"serve", "--prot", "1"}, status: 2, err: "flag provided but not defined: -prot; see: gramme help serve\n"},
		{args: []string{"serve", "here"}, status: 2, err: `serve takes flags only, not "here"`},
		{args: []string{"serve", "--memory", "--listen", "nonsense"}, status: 2, err: "--listen nonsense"},
		{args: []string{"serve", "--memory", "--listen", "0.0.0.0:0"}, status: 1, err: "not listening on 0.0.0.0:0 without access keys"},
		{args: []string{"serve", "--memory", "--listen", ":0"}, status: 1, err: "or say --insecure-any-credentials"},
		{args: []string{"serve", "--memory", "--listen", "db.example:0"}, status: 1, err: "without access keys"},
		{args: []string{"serve", "--memory"}, env: map[string]string{"GRAMME_LISTEN": "0.0.0.0:0"}, status: 1, err: "not listening on 0.0.0.0:0"},
		{args: []string{"serve", "--key", "nonsense"}, status: 1, err: "an access key is written ID:SECRET"},
		{args: []string{"serve", "--key-file", file("bad", "a:b\nnonsense\n")}, status: 1, err: "line 2: an access key is written ID:SECRET"},
		{args: []string{"serve", "--key-file", file("empty", "# none\n")}, status: 1, err: "there are no keys in it"},
		{args: []string{"serve", "--key-file", filepath.Join(dir, "missing")}, status: 1, err: "missing"},
		{args: []string{"serve", "--memory", "--functions"}, status: 2, err: "--functions lets callers run programs on this machine"},
		{args: []string{"serve", "--tls-cert", "x"}, status: 2, err: "--tls-cert and --tls-key go together"},
		{args: []string{"serve", "--tls-cert", "x", "--tls-key", "y"}, status: 1, err: "open x"},
		{args: []string{"serve", "--max-connections", "-1"}, status: 2, err: "--max-connections is negative; see: gramme help serve"},
		{args: []string{"serve", "--request-memory", "-1"}, status: 2, err: "--request-memory is negative; see: gramme help serve"},
		{args: []string{"serve", "--lifecycle-delay", "-1s"}, status: 2, err: "--lifecycle-delay is negative; see: gramme help serve"},
		{args: []string{"serve", "--stream-shard-age", "-1s"}, status: 2, err: "--stream-shard-age is negative; see: gramme help serve"},
		{args: []string{"serve", "--kinesis-key", "A:1"}, status: 2, err: "--kinesis-key is for --kinesis-endpoint"},
		{args: []string{"serve", "--kinesis-endpoint", "http://k"}, status: 2, err: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --kinesis-key"},
		{args: []string{"serve", "--kinesis-endpoint", "http://k", "--kinesis-key", "A"}, status: 1, err: "an access key is written ID:SECRET"},
		{args: []string{"serve", "--memory", "--listen", "127.0.0.1:0", "--kinesis-endpoint", "k:1", "--kinesis-key", "A:1"}, status: 1, err: `gramme: kinesis: endpoint "k:1": want something like`},
		{args: []string{"serve", "--log-format", "xml"}, status: 2, err: "--log-format xml: want text or json"},
		{args: []string{"serve", "--log-level", "loud"}, status: 2, err: "--log-level loud"},
		{args: []string{"serve"}, env: map[string]string{"GRAMME_MEMORY": "maybe"}, status: 2, err: "environment variable GRAMME_MEMORY: parse error"},
		{args: []string{"serve", "--config", file("c.yaml", "lissen: x\n")}, status: 2, err: `there is no option "lissen"`},
		{args: []string{"serve", "--config", file("d.yaml", "memory: maybe\n")}, status: 2, err: "d.yaml: memory: parse error"},
		{args: []string{"serve", "--config", file("e.yaml", "memory: [\n")}, status: 1, err: "e.yaml: yaml:"},
		{args: []string{"serve", "--config", file("f.yaml", "config: x\n")}, status: 2, err: `there is no option "config"`},
		{args: []string{"serve", "--listen", "127.0.0.1:0", "--data", file("afile", "x")}, status: 1, err: "afile is a file: choose an empty directory"},
		{args: []string{"serve", "--listen", "127.0.0.1:0", "--data", ""}, status: 1, err: "gramme: neither a data directory nor memory"},
		{args: []string{"serve", "--memory", "--data", "d"}, status: 2, err: "--memory keeps nothing, and --data d says where to keep it: choose one of them; see: gramme help serve"},
		{args: []string{"serve", "--data", "d"}, env: map[string]string{"GRAMME_MEMORY": "true"}, status: 2, err: "--memory keeps nothing"},
		{args: []string{"serve"}, env: map[string]string{"GRAMME_MEMORY": "true", "GRAMME_DATA": "d"}, status: 2, err: "--memory keeps nothing"},
		{args: []string{"serve", "--config", file("g.yaml", "memory: true\ndata: d\n")}, status: 2, err: "--memory keeps nothing"},
		{args: []string{"serve", "--memory", "--listen", "nonsense"}, env: map[string]string{"GRAMME_DATA": "d"}, status: 2, err: "--listen nonsense"}, // flags win
		{args: []string{"serve", "--memory=false", "--data", "d", "--listen", "nonsense"}, status: 2, err: "--listen nonsense"},
		{args: []string{"serve", "--listen", taken.Addr().String(), "--memory"}, status: 1, err: "choose another port with --listen"},

		{args: []string{"-port", "x"}, status: 1, err: `invalid value "x" for flag -port`},
		{args: []string{"-inMemory", "-dbPath", "."}, status: 1, err: "-inMemory and -dbPath exclude each other"},
		{args: []string{"-optimizeDbBeforeStartup"}, status: 1, err: "-optimizeDbBeforeStartup needs -dbPath"},
		{args: []string{"-sharedDb", "extra"}, status: 1, err: `not "extra"`},
	} {
		status, out, errs := runLine(tt.env, tt.args...)
		if strings.HasPrefix(errs, "gramme: gramme:") {
			t.Errorf("gramme %s says its name twice: %q", strings.Join(tt.args, " "), errs)
		}
		if status != tt.status || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.err) || tt.err == "" && errs != "" {
			t.Errorf("gramme %s: status %d, out %q, err %q; want %d, %q, %q",
				strings.Join(tt.args, " "), status, out, errs, tt.status, tt.out, tt.err)
		}
	}
}

// TestPrecedence: flags win over variables, variables over the file.
func TestPrecedence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gramme.yaml")
	text := "listen: file:1\nregion: file\ndata: file\nkeys: [A:1, B:2]\nlifecycle-delay: 2s\none-region: true\nmax-connections: 7\ncors-origin: https://file\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"GRAMME_REGION": "env", "GRAMME_LISTEN": "env:1", "GRAMME_CONFIG": path, "GRAMME_ALLOW_HOST": "a, b"}
	o, err := readOptions([]string{"--listen", "flag:1", "--cors-origin", "https://one", "--cors-origin=https://two"}, func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(o.listen, " ", o.region, " ", o.data, " ", o.keys, o.lifecycleDelay, o.oneRegion, o.maxConns, o.origins, o.hosts)
	if want := "flag:1 env file [A:1 B:2] 2s true 7 [https://one https://two] [a b]"; got != want {
		t.Errorf("options = %s, want %s", got, want)
	}
}

func TestKeysFromTheEnvironment(t *testing.T) {
	o, err := readOptions(nil, func(k string) string { return map[string]string{"GRAMME_KEYS": "A:1,B:2"}[k] })
	if err != nil {
		t.Fatal(err)
	}
	keys, err := o.accessKeys()
	if err != nil || len(keys) != 2 || keys[1].ID != "B" || keys[1].Secret != "2" {
		t.Errorf("keys = %v, %v", keys, err)
	}
}

func TestKinesisEndpoint(t *testing.T) {
	aws := map[string]string{"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "1", "AWS_SESSION_TOKEN": "t"}
	for _, c := range []struct {
		args []string
		want gramme.KinesisEndpoint
	}{
		{nil, gramme.KinesisEndpoint{}},
		{[]string{"--kinesis-endpoint", "http://k"}, gramme.KinesisEndpoint{URL: "http://k", AccessKey: "A", Secret: "1", Token: "t"}},
		{[]string{"--kinesis-endpoint", "http://k", "--kinesis-key", "B:2"}, gramme.KinesisEndpoint{URL: "http://k", AccessKey: "B", Secret: "2"}},
	} {
		o, err := readOptions(c.args, func(k string) string { return aws[k] })
		if err != nil {
			t.Fatal(err)
		}
		if got, err := o.kinesisEndpoint(); err != nil || got != c.want {
			t.Errorf("%v: %+v, %v", c.args, got, err)
		}
	}
}

// A process is a command that runs in this one.
type process struct {
	lines  *bufio.Reader // standard output
	errs   *bytes.Buffer
	stop   context.CancelFunc
	status chan int
}

func start(t *testing.T, terminal bool, args ...string) *process {
	t.Helper()
	r, w := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	p := &process{lines: bufio.NewReader(r), errs: new(bytes.Buffer), stop: stop, status: make(chan int, 1)}
	go func() {
		p.status <- run(ctx, args, stdio{out: w, err: p.errs, getenv: func(string) string { return "" }, terminal: terminal})
		_ = w.Close()
	}()
	t.Cleanup(func() { stop(); _, _ = io.Copy(io.Discard, r) })
	return p
}

// line returns the next line of standard output.
func (p *process) line(t *testing.T) string {
	t.Helper()
	line, err := p.lines.ReadString('\n')
	if err != nil {
		t.Fatalf("standard output ended with %q; standard error: %s", line, p.errs)
	}
	return strings.TrimSuffix(line, "\n")
}

// end stops the process and returns what it had yet to print.
func (p *process) end(t *testing.T) string {
	t.Helper()
	p.stop()
	rest, err := io.ReadAll(p.lines)
	if err != nil {
		t.Fatal(err)
	}
	if status := <-p.status; status != 0 {
		t.Errorf("status = %d: %s", status, p.errs)
	}
	return string(rest)
}

func TestServe(t *testing.T) {
	p := start(t, false, "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data"), "--key", "AKID:secret")
	url, ok := strings.CutPrefix(p.line(t), "gramme: ready on ")
	if !ok || !strings.HasPrefix(url, "http://127.0.0.1:") || strings.HasSuffix(url, ":0") {
		t.Fatalf("ready line names %q", url)
	}
	if status, body := call(t, url, "secret"); status != 200 || body != `{"TableNames":[]}` {
		t.Errorf("ListTables: %d %s", status, body)
	}
	if status, _ := call(t, url, "wrong"); status != 400 {
		t.Errorf("ListTables with a wrong secret: %d", status)
	}
	if rest := p.end(t); rest != "" {
		t.Errorf("it also printed %q", rest)
	}
}

// call calls ListTables.
func call(t *testing.T, url, secret string) (int, string) {
	t.Helper()
	req, err := http.NewRequest("POST", url+"/", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
	req.Header.Set("X-Amz-Date", sigv4.FormatTime(time.Now()))
	req.Header.Set("Authorization", sigv4.Sign(&sigv4.Request{Method: "POST", Path: "/", Body: []byte("{}"), Header: func(name string) string {
		if name == "host" {
			return req.URL.Host
		}
		return req.Header.Get(name)
	}}, []string{"host", "x-amz-date"}, sigv4.Credentials{AccessKey: "AKID", Secret: secret}, "us-east-1", "dynamodb"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestServeOnATerminal(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local\n"},
		{[]string{"--key", "AKID:secret", "--region", "eu-west-1"}, "AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1 AWS_ACCESS_KEY_ID=AKID AWS_SECRET_ACCESS_KEY=...\n"},
	} {
		p := start(t, true, append([]string{"serve", "--memory", "--listen", "127.0.0.1:0"}, tt.args...)...)
		url := strings.TrimPrefix(p.line(t), "gramme: ready on ")
		if rest := p.end(t); !strings.Contains(rest, "export AWS_ENDPOINT_URL="+url+" "+tt.want) {
			t.Errorf("it printed %q", rest)
		}
	}
}

func TestServeElsewhereWhenTold(t *testing.T) {
	for _, args := range [][]string{{"--insecure-any-credentials"}, {"--key", "AKID:secret"}} {
		p := start(t, false, append([]string{"serve", "--memory", "--listen", ":0"}, args...)...)
		if line := p.line(t); !strings.HasPrefix(line, "gramme: ready on http://0.0.0.0:") {
			t.Errorf("%s: %q", args, line)
		}
		p.end(t)
	}
}

func TestPortInUse(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	data := filepath.Join(t.TempDir(), "data")
	status, _, errs := runLine(nil, "serve", "--listen", ln.Addr().String(), "--data", data)
	if status != 1 || !strings.Contains(errs, "in use") {
		t.Errorf("status %d, %q", status, errs)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("the data directory was made all the same")
	}
}

func TestDataInUse(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, false, "serve", "--listen", "127.0.0.1:0", "--data", data)
	p.line(t)
	status, _, errs := runLine(nil, "serve", "--listen", "127.0.0.1:0", "--data", data)
	if status != 1 || !strings.Contains(errs, "in use by another gramme") {
		t.Errorf("status %d, %q", status, errs)
	}
	p.end(t)
}
