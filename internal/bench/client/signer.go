package client

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
	"time"
)

// amzDateLayout is the layout of the X-Amz-Date header, always 16 bytes.
const amzDateLayout = "20060102T150405Z"

const (
	contentType  = "application/x-amz-json-1.0"
	targetPrefix = "DynamoDB_20120810."
	zeros64      = "0000000000000000000000000000000000000000000000000000000000000000"
)

// Credentials are what a request is signed with.
type Credentials struct {
	AccessKey, Secret string
	Token             string // of a session, "" for none
	Region            string
}

// A Signer renders and signs DynamoDB requests. It does not allocate once it has seen an operation, and it is not safe for
// concurrent use.
type Signer struct {
	cred   Credentials
	host   string
	extra  string // further, unsigned header lines, each with its CRLF
	second int64  // the Unix second that date stands for
	date   [16]byte
	mac    hash.Hash // keyed with the signing key of the current day
	sha    hash.Hash
	tmpl   map[string]*template
	sts    []byte // string to sign, with room for the date and the digest
	sum    []byte
}

// A template is everything of a request that is the same for one operation.
type template struct {
	head              []byte // request line and headers up to "Content-Length: "
	dateAt, sigAt     int    // offsets in head
	scopeAt           int    // offset in head of the credential scope's date
	canon             []byte // canonical request with room for date and body hash
	canonDate, canonH int
}

// NewSigner returns a signer for a host as the Host header names it. extra are further header lines, each with its CRLF.
func NewSigner(cred Credentials, host, extra string) *Signer {
	if cred.Token != "" {
		extra += "X-Amz-Security-Token: " + cred.Token + "\r\n"
	}
	return &Signer{cred: cred, host: host, extra: extra, sha: sha256.New(), tmpl: map[string]*template{}}
}

func hmacSHA256(key, msg []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(msg)
	return m.Sum(nil)
}

// SetTime makes t the date of the requests rendered from now on.
func (s *Signer) SetTime(t time.Time) {
	if t.Unix() == s.second {
		return
	}
	t = t.UTC()
	s.second = t.Unix()
	oldDay := string(s.date[:8])
	t.AppendFormat(s.date[:0], amzDateLayout)
	day := string(s.date[:8])
	if day == oldDay {
		return
	}
	k := hmacSHA256([]byte("AWS4"+s.cred.Secret), []byte(day))
	k = hmacSHA256(k, []byte(s.cred.Region))
	k = hmacSHA256(k, []byte("dynamodb"))
	k = hmacSHA256(k, []byte("aws4_request"))
	s.mac = hmac.New(sha256.New, k)
	s.sts = []byte("AWS4-HMAC-SHA256\n0000000000000000\n" + day + "/" + s.cred.Region + "/dynamodb/aws4_request\n")
	for _, tm := range s.tmpl {
		copy(tm.head[tm.scopeAt:], day)
	}
}

// Second returns the Unix second of the present date.
func (s *Signer) Second() int64 { return s.second }

// template returns the template of an operation, such as PutItem; of another service than DynamoDB with that service's prefix, such
// as DynamoDBStreams_20120810.GetRecords.
func (s *Signer) template(operation string) *template {
	if tm := s.tmpl[operation]; tm != nil {
		return tm
	}
	signed, token := "content-type;host;x-amz-date;x-amz-target", ""
	if s.cred.Token != "" {
		signed, token = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target", "x-amz-security-token:"+s.cred.Token+"\n"
	}
	target := operation
	if !strings.Contains(operation, ".") {
		target = targetPrefix + operation
	}
	tm := &template{}
	h := "POST / HTTP/1.1\r\nHost: " + s.host + "\r\nX-Amz-Target: " + target +
		"\r\nContent-Type: " + contentType + "\r\n" + s.extra + "X-Amz-Date: "
	tm.dateAt = len(h)
	h += "0000000000000000\r\nAuthorization: AWS4-HMAC-SHA256 Credential=" + s.cred.AccessKey + "/"
	tm.scopeAt = len(h)
	h += string(s.date[:8]) + "/" + s.cred.Region + "/dynamodb/aws4_request, SignedHeaders=" + signed + ", Signature="
	tm.sigAt = len(h)
	h += zeros64 + "\r\nContent-Length: "
	tm.head = []byte(h)

	c := "POST\n/\n\ncontent-type:" + contentType + "\nhost:" + s.host + "\nx-amz-date:"
	tm.canonDate = len(c)
	c += "0000000000000000\n" + token + "x-amz-target:" + target + "\n\n" + signed + "\n"
	tm.canonH = len(c)
	tm.canon = []byte(c + zeros64)
	s.tmpl[operation] = tm
	return tm
}

// Append appends the whole request for an operation, such as PutItem, to dst. The body is at its end.
func (s *Signer) Append(dst []byte, operation string, body []byte) []byte {
	tm := s.template(operation)
	at := len(dst)
	dst = append(dst, tm.head...)
	dst = strconv.AppendInt(dst, int64(len(body)), 10)
	dst = append(dst, "\r\n\r\n"...)
	dst = append(dst, body...)
	s.sign(dst[at:], tm, body)
	return dst
}

// Resign gives a request that Append has made the present date.
func (s *Signer) Resign(req []byte, operation string, body []byte) {
	s.sign(req, s.template(operation), body)
}

// sign writes the present date and the signature into a rendered request.
func (s *Signer) sign(req []byte, tm *template, body []byte) {
	s.sha.Reset()
	s.sha.Write(body)
	s.sum = s.sha.Sum(s.sum[:0])
	hex.Encode(tm.canon[tm.canonH:], s.sum)
	copy(tm.canon[tm.canonDate:], s.date[:])
	s.sha.Reset()
	s.sha.Write(tm.canon)
	s.sum = s.sha.Sum(s.sum[:0])

	n := len(s.sts)
	copy(s.sts[17:], s.date[:])
	s.sts = hex.AppendEncode(s.sts, s.sum)
	s.mac.Reset()
	s.mac.Write(s.sts)
	s.sum = s.mac.Sum(s.sum[:0])
	s.sts = s.sts[:n]

	copy(req[tm.dateAt:], s.date[:])
	copy(req[tm.scopeAt:], s.date[:8])
	hex.Encode(req[tm.sigAt:tm.sigAt+64], s.sum)
}
