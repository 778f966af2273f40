package evloop

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

const getItem = "POST / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nAccept-Encoding: identity\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\n" +
	"Content-Type: application/x-amz-json-1.0\r\nUser-Agent: Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 os/linux#6.1 md/arch#x86_64\r\n" +
	"X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/dynamodb/aws4_request, " +
	"SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=0000000000000000000000000000000000000000000000000000000000000000\r\n" +
	"amz-sdk-invocation-id: 01234567-89ab-cdef-0123-456789abcdef\r\namz-sdk-request: attempt=1\r\nContent-Length: 2\r\n\r\n{}"

func (v verdict) String() string { return [...]string{"whole", "partial", "strange"}[v] }

func TestParse(t *testing.T) {
	const line = "POST / HTTP/1.1\r\n"
	for _, tt := range []struct {
		name string
		text string
		want verdict
	}{
		{"an SDK's", getItem, whole},
		{"the least", line + "Host:a\r\nContent-Length:0\r\n\r\n", whole},
		{"no host", line + "Content-Length: 0\r\n\r\n", strange},
		{"an empty host", line + "Host: \r\nContent-Length: 0\r\n\r\n", strange},
		{"two hosts", line + "Host: a\r\nhost: b\r\nContent-Length: 0\r\n\r\n", strange},
		{"no length", line + "Host: a\r\n\r\n", strange},
		{"two lengths", line + "Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", strange},
		{"a signed length", line + "Host: a\r\nContent-Length: +1\r\n\r\nx", strange},
		{"a list of lengths", line + "Host: a\r\nContent-Length: 1, 1\r\n\r\nx", strange},
		{"a length beyond all bounds", line + "Host: a\r\nContent-Length: 99999999999999999999\r\n\r\nx", strange},
		{"a body to come", line + "Host: a\r\nContent-Length: 2\r\n\r\nx", partial},
		{"another behind it", line + "Host: a\r\nContent-Length: 1\r\n\r\nxPOST", strange},
		{"chunked", line + "Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", strange},
		{"expect", line + "Host: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", strange},
		{"upgrade", line + "Host: a\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n", strange},
		{"trailer", line + "Host: a\r\nTrailer: x\r\nContent-Length: 0\r\n\r\n", strange},
		{"close", line + "Host: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", strange},
		{"keep-alive", line + "Host: a\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", whole},
		{"a blank before the colon", line + "Host : a\r\nContent-Length: 0\r\n\r\n", strange},
		{"a folded line", line + "Host: a\r\n b\r\nContent-Length: 0\r\n\r\n", strange},
		{"a line without a colon", line + "Host\r\nContent-Length: 0\r\n\r\n", strange},
		{"a line without a name", line + ": a\r\nContent-Length: 0\r\n\r\n", strange},
		{"a line feed alone", line + "Host: a\nX: b\r\nContent-Length: 0\r\n\r\n", strange},
		{"a carriage return alone", line + "Host: a\rb\r\nContent-Length: 0\r\n\r\n", strange},
		{"a zero byte", line + "Host: a\x00\r\nContent-Length: 0\r\n\r\n", strange},
		{"too many headers", line + "Host: a\r\nContent-Length: 0\r\n" + strings.Repeat("X: y\r\n", maxFields) + "\r\n", strange},
		{"a long head", line + "Host: a\r\nContent-Length: 0\r\nX: " + strings.Repeat("y", maxHead) + "\r\n\r\n", strange},
		{"a long head to come", line + "Host: a\r\nContent-Length: 0\r\nX: " + strings.Repeat("y", maxHead), strange},
		{"another method", strings.Replace(getItem, "POST", "GET", 1), strange},
		{"another path", strings.Replace(getItem, "/", "/x", 1), strange},
		{"another version", strings.Replace(getItem, "/1.1", "/1.0", 1), strange},
		{"the beginning of another method", "PUT", strange},
		{"nothing yet", "", partial},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := newRequest().parse([]byte(tt.text)); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
	r := newRequest()
	for n := range len(getItem) {
		if got := r.parse([]byte(getItem[:n])); got != partial {
			t.Fatalf("the first %d bytes are %v", n, got)
		}
	}
}

func TestGet(t *testing.T) {
	r := newRequest()
	text := "POST / HTTP/1.1\r\nHost: a\r\nX-AMZ-Target:\t one\t \r\nx-amz-target: two\r\nX-A: 1\r\nx-a:\r\nx-A: 3\r\nContent-Length: 3\r\n\r\nabc"
	if got := r.parse([]byte(text)); got != whole {
		t.Fatal(got)
	}
	for name, want := range map[string]string{"host": "a", "x-amz-target": "one", "x-a": "1,,3", "x-b": "", "content-length": "3"} {
		if got := r.Get(name); got != want {
			t.Errorf("Get(%s) = %q, want %q", name, got, want)
		}
	}
	if string(r.Body) != "abc" || r.Host != "a" {
		t.Errorf("body %q, host %q", r.Body, r.Host)
	}
}

// FuzzParse holds what parse takes for whole against net/http: it must be the same request, to the last byte.
func FuzzParse(f *testing.F) {
	f.Add([]byte(getItem))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nX-A: b\r\nx-a: c\r\n\r\nabc"))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newRequest()
		if r.parse(data) != whole {
			return
		}
		in := bufio.NewReader(bytes.NewReader(data))
		want, err := http.ReadRequest(in)
		if err != nil {
			if isPickier(err) {
				return
			}
			t.Fatal(err)
		}
		body, err := io.ReadAll(want.Body)
		if err != nil || !bytes.Equal(body, r.Body) || want.Host != r.Host || want.Close {
			t.Fatalf("%q, %q, %v, closing: %v; want %q, %q", r.Body, r.Host, err, want.Close, body, want.Host)
		}
		if n := in.Buffered(); n != 0 {
			t.Fatalf("%d bytes are left", n)
		}
		for name, values := range want.Header {
			if got := r.Get(strings.ToLower(name)); got != strings.Join(values, ",") && got != values[0] {
				t.Fatalf("%s: %q, want %q", name, got, values)
			}
		}
	})
}

// isPickier reports whether net/http refuses what has no influence on where a request ends: bytes in values, names of hosts.
func isPickier(err error) bool {
	return strings.Contains(err.Error(), "malformed MIME header") || strings.Contains(err.Error(), "malformed Host") || strings.Contains(err.Error(), "invalid")
}

func BenchmarkParse(b *testing.B) {
	r, text := newRequest(), []byte(getItem)
	b.ReportAllocs()
	for b.Loop() {
		if r.parse(text) != whole || r.Get("x-amz-target") == "" {
			b.Fatal(fmt.Sprint(r.fields[:r.n]))
		}
	}
}
