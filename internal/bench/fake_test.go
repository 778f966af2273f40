package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/bench/client"
)

// A fake is a server that knows tables and what is put into them, and answers the rest as a test likes.
type fake struct {
	url    string
	answer func(operation, body string) (status int, text string) // status 0: as the fake does

	mu     sync.Mutex
	tables map[string]map[string]json.RawMessage // items by key
	calls  map[string]int
}

func newFake(t *testing.T) *fake {
	f := &fake{tables: map[string]map[string]json.RawMessage{}, calls: map[string]int{},
		answer: func(string, string) (int, string) { return 0, "" }}
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	f.url = srv.URL
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810.")
	f.mu.Lock()
	f.calls[operation]++
	f.mu.Unlock()
	status, text := f.answer(operation, string(body))
	if status == 0 {
		status, text = f.do(operation, body)
	}
	w.Header().Set("Server", "fake")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// item is a part of a request with an item or a key.
type item struct {
	PK struct{ S string } `json:"pk"`
	SK struct{ N string } `json:"sk"`
}

func keyOf(raw json.RawMessage) string {
	var i item
	_ = json.Unmarshal(raw, &i)
	return i.PK.S + "/" + i.SK.N
}

func (f *fake) do(operation string, body []byte) (int, string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var in struct {
		TableName    string
		Item, Key    json.RawMessage
		RequestItems map[string][]struct {
			PutRequest struct{ Item json.RawMessage }
		}
	}
	_ = json.Unmarshal(body, &in)
	table, ok := f.tables[in.TableName]
	if !ok && in.TableName != "" && operation != "CreateTable" {
		return 400, `{"__type":"x#ResourceNotFoundException"}`
	}
	switch operation {
	case "CreateTable":
		f.tables[in.TableName] = map[string]json.RawMessage{}
	case "DescribeTable":
		return 200, `{"Table":{"TableStatus":"ACTIVE","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],` +
			`"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}]}}`
	case "DeleteTable":
		delete(f.tables, in.TableName)
	case "PutItem":
		table[keyOf(in.Item)] = in.Item
	case "GetItem":
		if it, ok := table[keyOf(in.Key)]; ok {
			return 200, fmt.Sprintf(`{"Item":%s}`, it)
		}
	case "BatchWriteItem":
		for name, puts := range in.RequestItems {
			for _, p := range puts {
				f.tables[name][keyOf(p.PutRequest.Item)] = p.PutRequest.Item
			}
		}
		return 200, `{"UnprocessedItems":{}}`
	}
	return 200, `{}`
}

func (f *fake) count(operation string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[operation]
}

// names returns the tables that there are.
func (f *fake) names() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	names := []string{}
	for n := range f.tables {
		names = append(names, n)
	}
	return names
}

// config is a small run against the fake.
func (f *fake) config(t *testing.T) Config {
	t.Helper()
	c := Defaults()
	var err error
	if c.Endpoint, err = client.ParseEndpoint(f.url); err != nil {
		t.Fatal(err)
	}
	c.URL, c.Credentials = f.url, client.Credentials{AccessKey: "a", Secret: "b", Region: "us-east-1"}
	c.Items, c.Connections, c.Seed = 200, 3, 1
	c.Warmup, c.Duration, c.Operations = 0, 0, 100
	c.Timeout = time.Minute
	return c
}
