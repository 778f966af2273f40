package lambda

import (
	"encoding/base64"
	"testing"

	"github.com/grammedb/gramme/internal/api"
	shapes "github.com/grammedb/gramme/internal/api/lambda"
)

// TestClientContext: functions get a client context as one line of ASCII, for it is a header of theirs; what is no object is refused.
func TestClientContext(t *testing.T) {
	for sent, want := range map[string]string{
		`{"custom": {"a": 1}}`:           `{"custom":{"a":1}}`,
		"{\n\"custom\":\n{}}":            `{"custom":{}}`,
		`{"custom":{"é":"😀\u00e9"}}`:     `{"custom":{"\u00e9":"\ud83d\ude00\u00e9"}}`,
		"{\"custom\":\"\xff\"}":          `{"custom":"\ufffd"}`,
		`[]`:                             "",
		`"x"`:                            "",
		`null`:                           "",
		`{`:                              "",
		`{"client":{"app_title":"<a>"}}`: `{"client":{"app_title":"<a>"}}`,
	} {
		in := &shapes.InvocationRequest{ClientContext: new(base64.StdEncoding.EncodeToString([]byte(sent)))}
		req, err := request("id", in, synchronous)
		if want == "" {
			if !api.HasCode(err, "InvalidRequestContentException") {
				t.Errorf("%s: %v", sent, err)
			}
			continue
		}
		if err != nil || req.ClientContext != want {
			t.Errorf("%s: %s, %v; want %s", sent, req.ClientContext, err, want)
		}
	}
	if _, err := request("id", &shapes.InvocationRequest{ClientContext: new("no base64")}, synchronous); !api.HasCode(err, "InvalidRequestContentException") {
		t.Error(err)
	}
}
