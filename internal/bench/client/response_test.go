package client

import (
	"fmt"
	"hash/crc32"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, in string
		eof      bool
		status   int
		body     string
		close    bool
		ok, bad  bool
	}{
		{name: "length", in: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", status: 200, body: "{}", ok: true},
		{name: "short", in: "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}"},
		{name: "head", in: "HTTP/1.1 200 OK\r\ncontent-le"},
		{name: "close", in: "HTTP/1.1 400 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", status: 400, close: true, ok: true},
		{name: "chunked", in: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", status: 200, body: "abcde", ok: true},
		{name: "half chunk", in: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab"},
		{name: "until eof", in: "HTTP/1.0 200 OK\r\n\r\nabc", eof: true, status: 200, body: "abc", close: true, ok: true},
		{name: "not http", in: "SSH-2.0-x\r\n\r\n", bad: true},
		{name: "bad length", in: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", bad: true},
		{name: "no line", in: "HTTP/1.1 200 OK\n\n\r\n\r\n", bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r Response
			ok, _, err := r.Parse([]byte(tt.in), tt.eof)
			if ok != tt.ok || (err != nil) != tt.bad {
				t.Fatalf("ok %v, err %v", ok, err)
			}
			if ok && (r.Status != tt.status || string(r.Body) != tt.body || r.Close != tt.close || r.Total != len(tt.in)) {
				t.Errorf("got %d %q close %v total %d", r.Status, r.Body, r.Close, r.Total)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Amz-Crc32: 5\r\n\r\n{}", false)
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", true)
	f.Fuzz(func(t *testing.T, in string, eof bool) {
		var r Response
		ok, need, err := r.Parse([]byte(in), eof)
		if ok && (err != nil || r.Total > len(in) || len(r.Body) > len(in)) {
			t.Errorf("ok with %v, %d of %d bytes", err, r.Total, len(in))
		}
		if !ok && need != 0 && need <= len(in) {
			t.Errorf("needs %d, has %d", need, len(in))
		}
		_, _ = r.Header("server"), r.Code()
	})
}

func TestHeader(t *testing.T) {
	var r Response
	if ok, _, err := r.Parse([]byte("HTTP/1.1 200 OK\r\nserver:  Gramme \r\nContent-Length: 0\r\n\r\n"), false); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if got := r.Header("server"); got != "Gramme" {
		t.Errorf("server %q", got)
	}
	if got := r.Header("date"); got != "" {
		t.Errorf("date %q", got)
	}
}

func TestCRC32(t *testing.T) {
	body := `{"Item":{}}`
	good := fmt.Sprint(crc32.ChecksumIEEE([]byte(body)))
	for _, tt := range []struct {
		header        string
		checked, good bool
	}{{"", false, true}, {"x-amz-crc32: " + good + "\r\n", true, true}, {"X-Amz-CRC32: 17\r\n", true, false}, {"x-amz-crc32: x\r\n", true, false}} {
		var r Response
		_, _, err := r.Parse(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", tt.header, len(body), body), false)
		if err != nil {
			t.Fatal(err)
		}
		if checked, good := r.CheckCRC32(); checked != tt.checked || good != tt.good {
			t.Errorf("%q: checked %v, good %v", tt.header, checked, good)
		}
	}
}

func TestCode(t *testing.T) {
	for _, tt := range []struct {
		status    int
		body      string
		code      string
		retryable bool
	}{
		{200, `{}`, "", false},
		{400, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}`, "ProvisionedThroughputExceededException", true},
		{400, `{"message":"x", "__type" : "com.amazon.coral.availability#ThrottlingException"}`, "ThrottlingException", true},
		{400, `{"__type":"x#ValidationException"}`, "ValidationException", false},
		{400, `{"__type":"x#ConditionalCheckFailedException"}`, "ConditionalCheckFailedException", false},
		{400, `{"__type":"x#TransactionCanceledException","Message":"... [None, TransactionConflict]"}`, "TransactionCanceledException", true},
		{400, `{"__type":"x#TransactionCanceledException","Message":"... [None, ConditionalCheckFailed]"}`, "TransactionCanceledException", false},
		{500, `oops`, "HTTP500", true},
		{503, `{"__type":`, "HTTP503", true},
		{413, ``, "HTTP413", false},
	} {
		r := Response{Status: tt.status, Body: []byte(tt.body)}
		if got := r.Code(); got != tt.code {
			t.Errorf("%d %s: code %q", tt.status, tt.body, got)
		}
		if tt.status != 200 && r.Retryable() != tt.retryable {
			t.Errorf("%d %s: retryable %v", tt.status, tt.body, r.Retryable())
		}
	}
}
