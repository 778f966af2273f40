package sigv4

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// maxExpires is the longest life of a presigned request, in seconds.
	maxExpires = 7 * 24 * 60 * 60
	// httpDate is the format of HTTP's own Date header.
	httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"
)

// A signature is what a request says about how it was signed, in either form.
type signature struct {
	algorithm     string
	credential    string // keyid/date/region/service/term
	signedHeaders string // a;b;c
	signature     string // hex
	date          string // basic format, if the request is well-formed
	token         string // X-Amz-Security-Token
	presigned     bool
	expires       time.Duration // of a presigned request; 0: not said
}

// parse finds the signature of a request and checks that no part of it is missing.
func parse(r *Request) (signature, error) {
	header := r.Header("authorization")
	if hasParam(r.RawQuery, "X-Amz-Algorithm") {
		if header != "" {
			return signature{}, errTwice
		}
		return parseQuery(r.RawQuery)
	}
	if !strings.HasPrefix(header, "AWS4-") {
		return signature{}, errMissing
	}
	return parseHeader(r, header)
}

// parseHeader reads: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…
func parseHeader(r *Request, header string) (signature, error) {
	var s signature
	algorithm, rest, _ := strings.Cut(header, " ")
	s.algorithm = algorithm
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, ",")
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return s, errNotPair(part, header)
		}
		switch name {
		case "Credential":
			s.credential = value
		case "SignedHeaders":
			s.signedHeaders = value
		case "Signature":
			s.signature = value
		}
	}
	s.date = headerDate(r)
	s.token = r.Header("x-amz-security-token")
	if s.credential == "" || s.signature == "" || s.signedHeaders == "" || s.date == "" {
		return s, errHeaderParts(&s, header)
	}
	return s, nil
}

// headerDate returns X-Amz-Date, or the Date header, which may also have HTTP's own format.
func headerDate(r *Request) string {
	if d := r.Header("x-amz-date"); d != "" {
		return d
	}
	d := r.Header("date")
	if t, err := time.Parse(httpDate, d); err == nil {
		return FormatTime(t)
	}
	return d
}

// parseQuery reads the presigned form.
func parseQuery(raw string) (signature, error) {
	q, _ := url.ParseQuery(raw) // what cannot be read is missing
	s := signature{
		algorithm:     q.Get("X-Amz-Algorithm"),
		credential:    q.Get("X-Amz-Credential"),
		signedHeaders: q.Get("X-Amz-SignedHeaders"),
		signature:     q.Get("X-Amz-Signature"),
		date:          q.Get("X-Amz-Date"),
		token:         q.Get("X-Amz-Security-Token"),
		presigned:     true,
	}
	if s.algorithm == "" || s.credential == "" || s.signedHeaders == "" || s.signature == "" || s.date == "" {
		return s, errQueryParts(&s)
	}
	if text := q.Get("X-Amz-Expires"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxExpires {
			return s, errExpires(text)
		}
		s.expires = time.Duration(n) * time.Second
	}
	return s, nil
}

// hasParam reports whether the query has a parameter of that (unescaped) name.
func hasParam(raw, name string) bool {
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if key, _, _ := strings.Cut(pair, "="); key == name {
			return true
		}
	}
	return false
}

// checkClock compares the time of signing with ours.
func (s *signature) checkClock(at, now time.Time) error {
	within := maxSkew
	if s.expires > 0 {
		within = s.expires
	}
	if at.Before(now.Add(-within)) {
		return errExpired(at, now, within)
	}
	if at.After(now.Add(maxSkew)) {
		return errNotYet(at, now)
	}
	return nil
}

// A scope is a credential taken apart.
type scope struct{ accessKey, date, region, service, term string }

// splitCredential reports whether the credential has exactly five parts.
func splitCredential(s string) (scope, bool) {
	var sc scope
	parts := [...]*string{&sc.accessKey, &sc.date, &sc.region, &sc.service}
	for _, p := range parts {
		var ok bool
		if *p, s, ok = strings.Cut(s, "/"); !ok {
			return scope{}, false
		}
	}
	sc.term = s
	return sc, !strings.Contains(s, "/")
}

// Service returns the service that the credential of r names, whether the signature is right or not; "" if there is
// none. It is for choosing whose rules r is verified by.
func Service(r *Request) string {
	s, err := parse(r)
	if err != nil {
		return ""
	}
	sc, _ := splitCredential(s.credential)
	return sc.service
}
