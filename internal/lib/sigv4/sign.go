package sigv4

import (
	"encoding/hex"
	"strings"
)

// Credentials are what a client signs with.
type Credentials struct {
	AccessKey string
	Secret    string
}

// Sign returns the Authorization header of a request: what a client does. The named headers are covered; they must be in
// lower case, sorted, and with "host" and "x-amz-date" among them, which r.Header must answer.
func Sign(r *Request, headers []string, c Credentials, region, service string) string {
	s := signature{date: r.Header("x-amz-date"), signedHeaders: strings.Join(headers, ";")}
	sc := scope{c.AccessKey, s.date[:dateLen], region, service, terminator}
	s.credential = strings.Join([]string{sc.accessKey, sc.date, sc.region, sc.service, sc.term}, "/")
	sum := new(canon).sign(r, &s, newSigningKey(sc, c.Secret))
	return algorithm + " Credential=" + s.credential +
		", SignedHeaders=" + s.signedHeaders +
		", Signature=" + hex.EncodeToString(sum)
}
