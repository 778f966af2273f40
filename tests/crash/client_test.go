package crash

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A client calls a server without any SDK. It is one connection's worth of work: not for several goroutines.
type client struct {
	url  string
	http *http.Client
}

func newClient(s *server) *client {
	return &client{s.url, &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}}
}

// An object is a JSON object of a request or an answer.
type object = map[string]any

// A remote is an error that the server answered.
type remote struct {
	code, message string
}

func (e *remote) Error() string { return e.code + ": " + e.message }

// call calls an operation. The error is a *remote, which says that nothing was done, or any other, after which nobody knows.
func (c *client) call(op string, in object) (object, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequest("POST", c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	service := "DynamoDB_20120810."
	if streamOps[op] {
		service = "DynamoDBStreams_20120810."
	}
	req.Header.Set("X-Amz-Target", service+op)
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Date", "20300101T000000Z")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20300101/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=00")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	return answered(resp.StatusCode, text)
}

// streamOps are the operations of the other service.
var streamOps = map[string]bool{"DescribeStream": true, "GetShardIterator": true, "GetRecords": true}

func answered(status int, text []byte) (object, error) {
	var out object
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("answer %d %q: %w", status, text, err)
	}
	if status == http.StatusOK {
		return out, nil
	}
	typ, _ := out["__type"].(string)
	message, _ := out["message"].(string)
	if status >= 500 {
		return nil, fmt.Errorf("answer %d: %s %s", status, typ, message)
	}
	return nil, &remote{typ[strings.IndexByte(typ, '#')+1:], message}
}

// str and num make attribute values.
func str(s string) object { return object{"S": s} }
func num(n int) object    { return object{"N": strconv.Itoa(n)} }

// at follows names through an object, nil where there is nothing.
func at(o any, names ...string) any {
	for _, name := range names {
		m, _ := o.(object)
		o = m[name]
	}
	return o
}

// number returns the N of an attribute, 0 if there is none.
func number(item any, name string) int {
	text, _ := at(item, name, "N").(string)
	n, _ := strconv.Atoi(text)
	return n
}

// pages calls a Query or Scan until there are no more pages and returns all items.
func (c *client) pages(op string, in object) (items []any, err error) {
	for {
		out, err := c.call(op, in)
		if err != nil {
			return nil, err
		}
		page, _ := out["Items"].([]any)
		items = append(items, page...)
		if out["LastEvaluatedKey"] == nil {
			return items, nil
		}
		in["ExclusiveStartKey"] = out["LastEvaluatedKey"]
	}
}

// get reads an item, nil if there is none.
func (c *client) get(table string, key object) (object, error) {
	out, err := c.call("GetItem", object{"TableName": table, "Key": key, "ConsistentRead": true})
	it, _ := out["Item"].(object)
	return it, err
}
