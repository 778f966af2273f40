package lambda_test

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

	"github.com/grammedb/gramme"
	"github.com/grammedb/gramme/grammetest"
)

// A place is a function that runs here: an emulator that remembers what it was called with.
type place struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string
	// does answers a call; nil: null.
	does func(keys string) string
}

func newPlace(t *testing.T) *place {
	p := &place{}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

func (p *place) serve(w http.ResponseWriter, r *http.Request) {
	var event struct {
		Records []struct {
			Dynamodb struct {
				Keys struct{ Sk struct{ S string } }
			}
		}
	}
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &event)
	}
	if err != nil {
		w.WriteHeader(500)
		return
	}
	var keys []string
	for _, rec := range event.Records {
		keys = append(keys, rec.Dynamodb.Keys.Sk.S)
	}
	p.mu.Lock()
	p.seen = append(p.seen, keys...)
	does := p.does
	p.mu.Unlock()
	answer := "null"
	if does != nil {
		answer = does(strings.Join(keys, " "))
	}
	io.WriteString(w, answer)
}

// has reports whether the function has been called with these keys, in this order.
func (p *place) has(keys string) func() bool {
	return func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return strings.Join(p.seen, " ") == keys
	}
}

func (p *place) keys() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.seen, " ")
}

// newStream makes a table with a stream and returns its ARN.
func newStream(t *testing.T, s *grammetest.Server, name string) string {
	t.Helper()
	out := table(t, s, "CreateTable", fmt.Sprintf(`{"TableName":%q,"BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"Pk","AttributeType":"S"},`+
		`{"AttributeName":"Sk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"Pk","KeyType":"HASH"},{"AttributeName":"Sk","KeyType":"RANGE"}],"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}}`, name))
	var made struct {
		TableDescription struct{ LatestStreamArn string }
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil || made.TableDescription.LatestStreamArn == "" {
		t.Fatal(out, err)
	}
	return made.TableDescription.LatestStreamArn
}

// put puts an item. All are of one partition, and so of one shard, which keeps them in their order.
func put(t *testing.T, s *grammetest.Server, name, key string) {
	t.Helper()
	table(t, s, "PutItem", fmt.Sprintf(`{"TableName":%q,"Item":{"Pk":{"S":"p"},"Sk":{"S":%q}}}`, name, key))
}

// mapTo makes a mapping and returns its UUID.
func mapTo(t *testing.T, s *grammetest.Server, function, stream, position, more string) string {
	t.Helper()
	a := call(t, s, "POST", "/event-source-mappings", fmt.Sprintf(`{"FunctionName":%q,"EventSourceArn":%q,"StartingPosition":%q%s}`, function, stream, position, more))
	a.check(t, 202, `"State":"Creating"`)
	var m struct{ UUID string }
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatal(err)
	}
	return m.UUID
}

// TestMappingRestart: a mapping goes on where it was, also one that was waiting for its first record.
func TestMappingRestart(t *testing.T) {
	dir := t.TempDir()
	open := func() *grammetest.Server {
		s, err := grammetest.Open(withFunctions, func(c *gramme.Config) { c.Memory, c.Dir = false, dir })
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	here, waiting := newPlace(t), newPlace(t)
	s := open()
	createAt(t, s, "here", here.URL)
	createAt(t, s, "waiting", waiting.URL)
	busy, quiet := newStream(t, s, "busy"), newStream(t, s, "quiet")
	put(t, s, "quiet", "old")
	s.Advance(2 * time.Second)
	uuid := mapTo(t, s, "here", busy, "TRIM_HORIZON", "")
	mapTo(t, s, "waiting", quiet, "LATEST", "")
	put(t, s, "busy", "a")
	eventually(t, "the first record is there", here.has("a"))
	eventually(t, "it is done with", func() bool {
		return strings.Contains(call(t, s, "GET", "/event-source-mappings/"+uuid, "").body, `"LastProcessingResult":"OK"`)
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open()
	defer s.Close()
	s.Advance(4 * time.Second) // clocks do not go back
	put(t, s, "busy", "b")
	put(t, s, "quiet", "new")
	eventually(t, "the second record is there", here.has("a b"))
	eventually(t, "the new record is there", waiting.has("new"))
}

// TestMappingChanges: a mapping is changed, stopped and removed while its function does not answer; others do not notice.
func TestMappingChanges(t *testing.T) {
	s := grammetest.New(t, withFunctions)
	slow, other := newPlace(t), newPlace(t)
	release := make(chan bool)
	slow.does = func(string) string {
		<-release
		return "null"
	}
	createAt(t, s, "slow", slow.URL)
	createAt(t, s, "other", other.URL)
	stream := newStream(t, s, "items")
	uuid := mapTo(t, s, "slow", stream, "TRIM_HORIZON", `,"BatchSize":1`)
	mapTo(t, s, "other", stream, "TRIM_HORIZON", "")
	put(t, s, "items", "a")
	put(t, s, "items", "b")
	eventually(t, "the slow function is called", slow.has("a"))
	eventually(t, "the other is not held up", other.has("a b"))

	call(t, s, "PUT", "/event-source-mappings/"+uuid, `{"BatchSize":2}`).check(t, 202, `"State":"Updating"`)
	call(t, s, "PUT", "/event-source-mappings/"+uuid, `{"Enabled":false}`).check(t, 202, `"State":"Disabling"`)
	call(t, s, "GET", "/event-source-mappings/"+uuid, "").check(t, 200, `"State":"Disabled"`)
	release <- true
	put(t, s, "items", "c")
	eventually(t, "the other goes on", other.has("a b c"))
	if got := slow.keys(); got != "a" {
		t.Errorf("a function whose mapping is disabled has seen %s", got)
	}
	call(t, s, "PUT", "/event-source-mappings/"+uuid, `{"Enabled":true}`).check(t, 202, `"State":"Enabling"`)
	eventually(t, "it goes on where it was", slow.has("a b c"))

	call(t, s, "DELETE", "/event-source-mappings/"+uuid, "").check(t, 202, `"State":"Deleting"`)
	call(t, s, "GET", "/event-source-mappings/"+uuid, "").check(t, 200, `"State":"Deleting"`)
	call(t, s, "DELETE", "/event-source-mappings/"+uuid, "").check(t, 400, "because it is in use")
	call(t, s, "PUT", "/event-source-mappings/"+uuid, `{"BatchSize":3}`).check(t, 400, "because it is in use")
	release <- true
	eventually(t, "the mapping is gone", func() bool { return call(t, s, "GET", "/event-source-mappings/"+uuid, "").status == 404 })
}

// TestMappingToNobody: a function that does not answer, and then one that is no more, is asked again.
func TestMappingToNobody(t *testing.T) {
	s := grammetest.New(t, withFunctions)
	gone := newPlace(t)
	gone.Close()
	createAt(t, s, "f", gone.URL)
	stream := newStream(t, s, "items")
	uuid := mapTo(t, s, "f", stream, "TRIM_HORIZON", `,"MaximumRetryAttempts":0`)
	put(t, s, "items", "a")
	result := func(part string) func() bool {
		return func() bool {
			return strings.Contains(call(t, s, "GET", "/event-source-mappings/"+uuid, "").body, `"LastProcessingResult":"`+part)
		}
	}
	eventually(t, "the problem shows", result("PROBLEM: ResourceNotReadyException"))
	call(t, s, "DELETE", "/functions/f", "").check(t, 204, "")
	eventually(t, "the next problem shows", result("PROBLEM: ResourceNotFoundException: Function not found"))
	here := newPlace(t)
	createAt(t, s, "f", here.URL)
	eventually(t, "the record is there", here.has("a"))
	eventually(t, "the problem is gone", result("OK"))
}

// TestMappedTwice: a stream is mapped to a function once, also when a mapping gets another function.
func TestMappedTwice(t *testing.T) {
	s := grammetest.New(t, withFunctions)
	createAt(t, s, "a", "http://127.0.0.1:9")
	createAt(t, s, "b", "http://127.0.0.1:9")
	stream := newStream(t, s, "items")
	mapTo(t, s, "a", stream, "LATEST", "")
	other := mapTo(t, s, "b", stream, "LATEST", "")
	call(t, s, "POST", "/event-source-mappings", `{"FunctionName":"b","StartingPosition":"LATEST","EventSourceArn":"`+stream+`"}`).
		check(t, 409, "mapping already exists. Please update or delete the existing mapping with UUID "+other)
	call(t, s, "PUT", "/event-source-mappings/"+other, `{"FunctionName":"b"}`).check(t, 202, `"State":"Updating"`)
	call(t, s, "PUT", "/event-source-mappings/"+other, `{"FunctionName":"a"}`).check(t, 409, "mapping already exists")
}

// TestMappingPages: lists of mappings come in pages.
func TestMappingPages(t *testing.T) {
	s := grammetest.New(t, withFunctions)
	createAt(t, s, "f", "http://127.0.0.1:9")
	want := map[string]bool{}
	for i := range 3 {
		want[mapTo(t, s, "f", newStream(t, s, fmt.Sprint("items", i)), "LATEST", `,"Enabled":false`)] = true
	}
	for marker := ""; ; {
		var page struct {
			EventSourceMappings []struct{ UUID string }
			NextMarker          string
		}
		a := call(t, s, "GET", "/event-source-mappings?MaxItems=2&FunctionName=f&Marker="+marker, "")
		if err := json.Unmarshal([]byte(a.body), &page); err != nil {
			t.Fatal(a.body, err)
		}
		for _, m := range page.EventSourceMappings {
			delete(want, m.UUID)
		}
		if marker = page.NextMarker; marker == "" {
			break
		}
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
}
