package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/grammedb/gramme"
	"github.com/grammedb/gramme/grammetest"
	"github.com/grammedb/gramme/internal/bench/result"
	"github.com/grammedb/gramme/internal/bench/workload"
)

func TestBenchCommandLine(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		args   string
		env    map[string]string
		status int
		out    string
		err    string
	}{
		{args: "help bench", out: "gramme bench --compare a.json b.json"},
		{args: "bench --help", out: "ycsbf"},
		{args: "bench --nonsense", status: 2, err: "flag provided but not defined: -nonsense; see: gramme help bench\n"},
		{args: "bench here", status: 2, err: `bench takes flags only, not "here"; see`},
		{args: "bench --workload nope", status: 2, err: `there is no workload "nope"; there are batchget, `},
		{args: "bench --workload get:0", status: 2, err: `bad weight in "get:0"`},
		{args: "bench --connections 0", status: 2, err: "connections are from 1 to 4096"},
		{args: "bench --items 3", status: 2, err: "items are from 200"},
		{args: "bench --item-size 5", status: 2, err: `--item-size "5": a size is written`},
		{args: "bench --values music", status: 2, err: "--values music: want text or random"},
		{args: "bench --distribution normal", status: 2, err: `there is no distribution "normal"`},
		{args: "bench --duration 0", status: 2, err: "say how long"},
		{args: "bench --provisioned x", status: 2, err: "provisioned capacity is written READ,WRITE"},
		{args: "bench --endpoint localhost:8000", status: 2, err: "--endpoint \"localhost:8000\" is not a URL"},
		{args: "bench --key nonsense", status: 2, err: "--key is written ID:SECRET"},
		{args: "bench --endpoint http://db.example", status: 2, err: "--key is missing"},
		{args: "bench --endpoint aws", status: 2, err: "--key is missing"},
		{args: "bench", env: map[string]string{"AWS_ENDPOINT_URL": "nonsense"}, status: 2, err: `"nonsense" is not a URL`},
		{args: "bench --ca-file x", status: 2, err: "open x"},
		{args: "bench --json " + filepath.Join(dir, "none", "x.json"), status: 2, err: "none"},
		{args: "bench --compare x.json", status: 2, err: "--compare takes two files"},
		{args: "bench --compare x.json y.json", status: 1, err: "open x.json"},
		{args: "bench --endpoint http://127.0.0.1:1 --retries 0", status: 1, err: "connection refused"},
	} {
		status, out, errs := runLine(tt.env, strings.Fields(tt.args)...)
		if status != tt.status || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.err) {
			t.Errorf("%s: status %d, output %q, errors %q", tt.args, status, out, errs)
		}
		if strings.Count(errs, "\n") > 1 {
			t.Errorf("%s: more than a sentence: %q", tt.args, errs)
		}
	}
}

// benchServer is a server, and the environment and flags of a short run against it.
func benchServer(t *testing.T) (env map[string]string, args []string) {
	s := grammetest.New(t, func(c *gramme.Config) { c.Keys = []gramme.Key{{ID: "AKID", Secret: "secret"}} })
	env = map[string]string{"AWS_ENDPOINT_URL": s.URL(), "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
	return env, []string{"bench", "--items", "400", "--operations", "150", "--warmup", "0s", "--connections", "4", "--verify"}
}

// TestBenchWorkloads: every operation and every preset, with every answer checked, and nothing left behind.
func TestBenchWorkloads(t *testing.T) {
	env, args := benchServer(t)
	var names []string
	for _, op := range workload.Operations() {
		names = append(names, op.Name)
	}
	for _, p := range workload.Presets() {
		names = append(names, p.Name)
	}
	path := filepath.Join(t.TempDir(), "r.json")
	for _, name := range names {
		status, out, errs := runLine(env, append(args, "--workload", name, "--json", path, "--item-size", "250-1000", "--consistent")...)
		if status != 0 {
			t.Fatalf("%s: status %d, %s %s", name, status, out, errs)
		}
		r, err := result.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if r.Totals.Operations != 150 || r.Totals.Errors != 0 || r.Verified.Answers < 150 || r.Verified.CRC32 != r.Verified.Answers {
			t.Errorf("%s: %+v, verified %+v, errors %v, %s", name, r.Totals, r.Verified, r.Errors, r.Sample)
		}
	}
	if _, body := call(t, env["AWS_ENDPOINT_URL"], "secret"); body != `{"TableNames":[]}` {
		t.Errorf("tables are left: %s", body)
	}
}

// TestBenchReports: the files, the comparison of two, and a table that is kept from one run to the next.
func TestBenchReports(t *testing.T) {
	env, args := benchServer(t)
	dir := t.TempDir()
	a, b, page := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json"), filepath.Join(dir, "c.html")
	args = append(args, "--table", "kept")
	status, out, errs := runLine(env, append(args, "--keep", "--provisioned", "9000,9000", "--workload", "ycsba", "--json", a, "--html", page, "--values", "random")...)
	if status != 0 || !strings.Contains(out, "ycsba (get 50, update 50)") || !strings.Contains(out, "150 answers") {
		t.Fatalf("status %d, %s %s", status, out, errs)
	}
	if text, err := os.ReadFile(page); err != nil || !bytes.Contains(text, []byte("<h2>Distribution</h2>")) {
		t.Errorf("report: %v", err)
	}
	status, _, errs = runLine(env, append(args, "--workload", "ycsbf", "--rate", "1000", "--json", b, "--item-size", "1000")...)
	if status != 1 || !strings.Contains(errs, "was made for 400 items of 400 bytes of random") {
		t.Errorf("other items: status %d, %s", status, errs)
	}
	status, out, errs = runLine(env, append(args, "--workload", "ycsbf", "--rate", "1000", "--json", b, "--values", "random")...)
	if status != 0 || !strings.Contains(out, "service time") {
		t.Fatalf("status %d, %s %s", status, out, errs)
	}
	status, out, errs = runLine(nil, "bench", "--compare", a, b, "--html", page)
	if status != 0 || !strings.Contains(out, "B/A") || !strings.Contains(out, `workload: "ycsba", "ycsbf"`) {
		t.Errorf("comparison: status %d, %s %s", status, out, errs)
	}
	if text, err := os.ReadFile(page); err != nil || !bytes.Contains(text, []byte("<h2>Ratios</h2>")) {
		t.Errorf("report of the comparison: %v", err)
	}
	r, err := result.Read(b)
	if err != nil || r.Totals.LoadSeconds != 0 || r.Totals.Operations != 150 {
		t.Errorf("the second run: %v %+v", err, r.Totals)
	}
}

// TestBenchProgress: it is shown on a terminal only.
func TestBenchProgress(t *testing.T) {
	env, args := benchServer(t)
	for _, tt := range []struct {
		terminal bool
		more     string
		shown    bool
	}{{true, "", true}, {false, "", false}, {true, "--quiet", false}} {
		var out, errs bytes.Buffer
		std := stdio{out: &out, err: &errs, getenv: func(k string) string { return env[k] }, terminal: tt.terminal}
		if status := run(context.Background(), append(args, strings.Fields(tt.more)...), std); status != 0 {
			t.Fatalf("status %d: %s", status, errs.String())
		}
		if shown := strings.Contains(out.String(), "loading 400 items"); shown != tt.shown {
			t.Errorf("terminal %v %s: progress %v:\n%s", tt.terminal, tt.more, shown, out.String())
		}
	}
}

// TestBenchAllFailed: a run in which nothing succeeds is reported, and fails.
func TestBenchAllFailed(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch target := r.Header.Get("X-Amz-Target"); {
		case strings.HasSuffix(target, "DescribeTable"):
			_, _ = w.Write([]byte(`{"Table":{"TableStatus":"ACTIVE","KeySchema":[{"AttributeName":"pk"},{"AttributeName":"sk"}],` +
				`"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}]}}`))
		case strings.HasSuffix(target, "BatchWriteItem"):
			_, _ = w.Write([]byte(`{"UnprocessedItems":{}}`))
		default:
			w.WriteHeader(400)
			_, _ = w.Write([]byte(`{"__type":"x#AccessDeniedException"}`))
		}
	}))
	defer srv.Close()
	status, out, errs := runLine(nil, "bench", "--endpoint", srv.URL, "--table", "t", "--existing", "--items", "200", "--operations", "5", "--warmup", "0")
	if status != 1 || !strings.Contains(errs, "every operation failed: 5 AccessDeniedException") || !strings.Contains(out, "5: 5 AccessDeniedException") {
		t.Errorf("status %d, %s %s", status, out, errs)
	}
}
