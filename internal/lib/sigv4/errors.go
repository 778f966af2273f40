package sigv4

import (
	"fmt"
	"strings"
	"time"
)

// A Reason is the kind of a failure. Services give them different names: Invalid is InvalidSignatureException in
// DynamoDB and SignatureDoesNotMatch in STS.
type Reason int

// The reasons.
const (
	Missing    Reason = iota + 1 // the request is not signed
	Incomplete                   // parts of the signature are missing or malformed
	Invalid                      // wrong time, scope or signature
	UnknownKey                   // nobody has this access key, or the security token is not its
)

// An Error says why a request was not accepted. Message is what the service says to the client.
type Error struct {
	Reason  Reason
	Message string
}

func (e *Error) Error() string { return e.Message }

// The failures, in the order of the checks.

var (
	errMissing = &Error{Missing, "Request is missing Authentication Token"}
	errTwice   = &Error{Invalid, "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."}
)

func errNotPair(part, header string) *Error {
	return &Error{Incomplete, fmt.Sprintf(
		"'%s' not a valid key=value pair (missing equal-sign) in Authorization header: '%s'.", part, header)}
}

func errHeaderParts(s *signature, header string) *Error {
	var b strings.Builder
	for _, p := range []struct{ name, value string }{
		{"Credential", s.credential}, {"Signature", s.signature}, {"SignedHeaders", s.signedHeaders},
	} {
		if p.value == "" {
			fmt.Fprintf(&b, "Authorization header requires '%s' parameter. ", p.name)
		}
	}
	if s.date == "" {
		b.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	b.WriteString("Authorization=" + header)
	return &Error{Incomplete, b.String()}
}

func errQueryParts(s *signature) *Error {
	var b strings.Builder
	for _, p := range []struct{ name, value string }{
		{"X-Amz-Algorithm", s.algorithm}, {"X-Amz-Credential", s.credential}, {"X-Amz-Signature", s.signature},
		{"X-Amz-SignedHeaders", s.signedHeaders}, {"X-Amz-Date", s.date},
	} {
		if p.value == "" {
			fmt.Fprintf(&b, "AWS query-string parameters must include '%s'. ", p.name)
		}
	}
	b.WriteString("Re-examine the query-string parameters.")
	return &Error{Incomplete, b.String()}
}

func errExpires(text string) *Error {
	return &Error{Incomplete, fmt.Sprintf("X-Amz-Expires must be a number of seconds from 1 to %d, got '%s'", maxExpires, text)}
}

func errDateFormat(got string) *Error {
	return &Error{Incomplete, fmt.Sprintf(
		"Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", got)}
}

func errExpired(at, now time.Time, within time.Duration) *Error {
	return &Error{Invalid, fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - %s)",
		FormatTime(at), FormatTime(now.Add(-within)), FormatTime(now), span(within))}
}

func errNotYet(at, now time.Time) *Error {
	return &Error{Invalid, fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + %s)",
		FormatTime(at), FormatTime(now.Add(maxSkew)), FormatTime(now), span(maxSkew))}
}

// span writes a duration as the messages do: "15 min.", "30 sec."
func span(d time.Duration) string {
	if d%time.Minute != 0 {
		return fmt.Sprintf("%d sec.", d/time.Second)
	}
	return fmt.Sprintf("%d min.", d/time.Minute)
}

var errHostNotSigned = &Error{Invalid, "'Host' must be a 'SignedHeader' in the AWS Authorization."}

func errAlgorithm(got string) *Error {
	return &Error{Incomplete, fmt.Sprintf("Unsupported AWS 'algorithm': '%s' (only %s for now). ", got, algorithm)}
}

func errCredential(got string) *Error {
	return &Error{Incomplete, fmt.Sprintf(
		"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'", got)}
}

// errScope has one sentence for each wrong part of the credential's scope.
func errScope(sc scope, regionOK bool, service, date string) *Error {
	var b strings.Builder
	if !regionOK {
		fmt.Fprintf(&b, "Credential should be scoped to a valid region, not '%s'. ", sc.region)
	}
	if sc.service != service {
		fmt.Fprintf(&b, "Credential should be scoped to correct service: '%s'. ", service)
	}
	if sc.term != terminator {
		fmt.Fprintf(&b, "Credential should be scoped with a valid terminator: '%s', not '%s'. ", terminator, sc.term)
	}
	if day := date[:dateLen]; sc.date != day {
		fmt.Fprintf(&b, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "+
			"'%s' != '%s', from '%s'.", sc.date, day, date)
	}
	return &Error{Invalid, b.String()}
}

var (
	errUnknownKey = &Error{UnknownKey, "The security token included in the request is invalid."}
	errMismatch   = &Error{Invalid, "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}
	errToken = &Error{UnknownKey, "The security token included in the request is invalid"}
)
