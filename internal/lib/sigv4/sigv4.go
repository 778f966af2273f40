// Package sigv4 checks and makes AWS Signature Version 4 signatures (IAM user guide: "Create a signed AWS API request"),
// in the Authorization header and in the query ("presigned"). It knows no HTTP library: a Request is what a signature
// covers.
//
// The checks run in the order in which DynamoDB runs them, and say what it says; see errors.go.
package sigv4

import (
	"strings"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"

	// timeFormat is ISO 8601's basic format.
	timeFormat = "20060102T150405Z"
	dateLen    = len("20060102")

	// maxSkew is how far a request's time may be from ours, either way.
	maxSkew = 15 * time.Minute

	unsignedPayload = "UNSIGNED-PAYLOAD"
)

// A Request is what a signature covers. The Verifier keeps none of its strings.
type Request struct {
	Method   string
	Path     string // as sent, with its escapes
	RawQuery string
	// Header returns the value of the header of that name, in lower case; several values are joined by commas.
	// "host" must be answered too.
	Header func(name string) string
	Body   []byte // as sent, before any Content-Encoding is undone
}

// An Identity is whom a request says it is from, and where it wants to go. Its strings outlive the request.
type Identity struct {
	AccessKey string
	Region    string
	Service   string
}

// Config says what a Verifier accepts.
type Config struct {
	// Secret returns the secret of an access key. If it is nil any credentials are accepted: form and scope of the
	// signature are checked, clock, key and signature are not. What it answers for a key is remembered.
	Secret func(accessKey string) (secret string, ok bool)
	// ValidRegion reports whether requests for the region are served here; nil: every region.
	ValidRegion func(region string) bool
}

// A Verifier checks signatures. It may be used by several goroutines at once.
type Verifier struct {
	cfg  Config
	keys keyCache
}

// NewVerifier makes a Verifier.
func NewVerifier(cfg Config) *Verifier { return &Verifier{cfg: cfg} }

// Verify checks that r is signed for one of the services. It fails with an *Error.
func (v *Verifier) Verify(r *Request, now time.Time, service string) (Identity, error) {
	s, err := parse(r)
	if err != nil {
		return Identity{}, err
	}
	known := v.keys.get(s.credential)
	if err := v.checkForm(&s, now, service, known); err != nil {
		return Identity{}, err
	}
	if known != nil {
		return known.identity, v.checkSignature(r, &s, known)
	}
	k, err := v.newKey(&s)
	if err != nil {
		return Identity{}, err
	}
	if err := v.checkSignature(r, &s, k); err != nil {
		return Identity{}, err
	}
	v.keys.add(strings.Clone(s.credential), k) // only now: strangers cannot fill the cache
	return k.identity, nil
}

// checkForm makes the checks that need no key: time, signed headers, algorithm, scope. The scope of a key that is known has
// been checked before, for its own service and day.
func (v *Verifier) checkForm(s *signature, now time.Time, service string, known *signingKey) error {
	at, ok := parseTime(s.date)
	if !ok {
		return errDateFormat(s.date)
	}
	if v.cfg.Secret != nil {
		if err := s.checkClock(at, now); err != nil {
			return err
		}
	}
	if !lists(s.signedHeaders, "host") {
		return errHostNotSigned
	}
	if s.algorithm != algorithm {
		return errAlgorithm(s.algorithm)
	}
	if known != nil && known.identity.Service == service && known.date == s.date[:dateLen] {
		return nil
	}
	return v.checkScope(s, service)
}

func (v *Verifier) checkScope(s *signature, service string) error {
	sc, ok := splitCredential(s.credential)
	if !ok {
		return errCredential(s.credential)
	}
	regionOK := sc.region != "" && (v.cfg.ValidRegion == nil || v.cfg.ValidRegion(sc.region))
	if regionOK && sc.service == service && sc.term == terminator && sc.date == s.date[:dateLen] {
		return nil
	}
	return errScope(sc, regionOK, service, s.date)
}

func (v *Verifier) newKey(s *signature) (*signingKey, error) {
	sc, _ := splitCredential(s.credential)
	if v.cfg.Secret == nil {
		return newSigningKey(sc, ""), nil
	}
	secret, ok := v.cfg.Secret(sc.accessKey)
	if !ok {
		return nil, errUnknownKey
	}
	return newSigningKey(sc, secret), nil
}

// checkSignature compares the signature itself. No key has sessions, so a security token is a wrong one.
func (v *Verifier) checkSignature(r *Request, s *signature, k *signingKey) error {
	if v.cfg.Secret == nil {
		return nil
	}
	c := canons.Get().(*canon)
	defer canons.Put(c)
	if !c.matches(s.signature, c.sign(r, s, k)) {
		return errMismatch
	}
	if s.token != "" {
		return errToken
	}
	return nil
}

// FormatTime writes t as X-Amz-Date wants it.
func FormatTime(t time.Time) string { return t.UTC().Format(timeFormat) }

// parseTime reads ISO 8601's basic format and nothing else.
func parseTime(s string) (time.Time, bool) {
	if len(s) != len(timeFormat) || s[8] != 'T' || s[15] != 'Z' {
		return time.Time{}, false
	}
	var n [6]int // year, month, day, hour, minute, second
	ok := true
	for i, at := range [...]struct{ from, to int }{{0, 4}, {4, 6}, {6, 8}, {9, 11}, {11, 13}, {13, 15}} {
		for _, c := range []byte(s[at.from:at.to]) {
			ok = ok && '0' <= c && c <= '9'
			n[i] = 10*n[i] + int(c-'0')
		}
	}
	t := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC)
	// Date takes the 31st of June for the 1st of July: then a part has changed.
	return t, ok && t.Month() == time.Month(n[1]) && t.Day() == n[2] && t.Hour() == n[3] && t.Minute() == n[4] && t.Second() == n[5]
}

// lists reports whether name is in the semicolon-separated list.
func lists(list, name string) bool {
	for list != "" {
		var one string
		one, list, _ = strings.Cut(list, ";")
		if one == name {
			return true
		}
	}
	return false
}
