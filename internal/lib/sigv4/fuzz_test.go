package sigv4

import (
	"errors"
	"testing"
)

// FuzzVerify: no input makes the verifier panic, or is accepted without the secret.
func FuzzVerify(f *testing.F) {
	f.Add(testAuth, testTime, "")
	f.Add("", "", presigned+"&X-Amz-Date="+testTime+"&X-Amz-Expires=60")
	for _, c := range failures {
		f.Add(c.auth, c.date, c.query)
	}
	now := mustTime(f, testTime)
	strict, lenient := verifier("AKID", "a secret that nobody guesses"), NewVerifier(Config{})
	f.Fuzz(func(t *testing.T, auth, date, query string) {
		h := map[string]string{"host": "localhost", "authorization": auth, "x-amz-date": date}
		r := &Request{Method: "POST", Path: "/", RawQuery: query, Header: func(n string) string { return h[n] }}
		_, err := strict.Verify(r, now, "dynamodb")
		var e *Error
		if !errors.As(err, &e) || e.Reason == 0 {
			t.Fatalf("error = %v, want an *Error with a reason", err)
		}
		id, err := lenient.Verify(r, now, "dynamodb")
		if err == nil && (id.Region == "" || id.Service != "dynamodb") {
			t.Fatalf("identity %+v is not whole", id)
		}
	})
}

func FuzzCanonical(f *testing.F) {
	f.Add("/a/../b%20c//d", "b=1&a=%2F+x&a", "a  b\tc")
	f.Fuzz(func(t *testing.T, path, query, value string) {
		p := string(appendPath(nil, path))
		if p == "" || p[0] != '/' {
			t.Errorf("path %q became %q", path, p)
		}
		q := string(appendQuery(nil, query, false))
		if again := string(appendQuery(nil, q, false)); again != q && !hasBadEscape(query) {
			t.Errorf("query %q became %q, then %q", query, q, again)
		}
		v := string(appendValue(nil, value))
		if again := string(appendValue(nil, v)); again != v {
			t.Errorf("value %q became %q, then %q", value, v, again)
		}
	})
}

// hasBadEscape reports whether s has a percent sign without two hexadecimal digits.
func hasBadEscape(s string) bool {
	isHex := func(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|32 && c|32 <= 'f' }
	for i := range len(s) {
		if s[i] == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])) {
			return true
		}
	}
	return false
}
