package dynamodb

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// A NextToken is, in base64, a check (16 bytes) and positions: each the number of a plan (uvarint) and, behind their length (uvarint),
// the keys after which it goes on. The check binds it to its statement and finds what was damaged. It is no secret: whoever
// forges a token reads what the statement would have read, for a position outside of what the statement reads is refused.
const tokenCheck = 16

// tokenBinding is the length of what a token is bound to.
const tokenBinding = sha256.Size

var errNextToken = api.Invalid("NextToken does not match request")

// bindToken digests what a token is for: the statement with its parameters, where it is run.
func bindToken(c *api.Call, in *ddb.ExecuteStatementInput) [tokenBinding]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%d\x00%s", c.Account, c.Region, len(*in.Statement), *in.Statement)
	for _, p := range in.Parameters {
		h.Write(p.Value) // a value tells where it ends
	}
	return [tokenBinding]byte(h.Sum(nil))
}

func check(binding [tokenBinding]byte, body []byte) []byte {
	sum := sha256.Sum256(append(binding[:], body...))
	return sum[:tokenCheck]
}

// newNextToken returns the token of what comes after the positions, nil for none.
func newNextToken(binding [tokenBinding]byte, at []position) *string {
	if len(at) == 0 {
		return nil
	}
	var body []byte
	for _, pos := range at {
		body = binary.AppendUvarint(body, uint64(pos.plan))
		body = append(binary.AppendUvarint(body, uint64(len(pos.after))), pos.after...)
	}
	text := base64.StdEncoding.EncodeToString(append(check(binding, body), body...))
	return &text
}

func parseToken(binding [tokenBinding]byte, token string) ([]position, error) {
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(raw) <= tokenCheck {
		return nil, errNextToken
	}
	body := raw[tokenCheck:]
	if string(raw[:tokenCheck]) != string(check(binding, body)) {
		return nil, errNextToken
	}
	var at []position
	for len(body) > 0 {
		pos, rest, ok := cutPosition(body)
		if !ok || len(at) > 0 && pos.plan <= at[len(at)-1].plan {
			return nil, errNextToken
		}
		at, body = append(at, pos), rest
	}
	return at, nil
}

// cutPosition splits off the position that b starts with.
func cutPosition(b []byte) (pos position, rest []byte, ok bool) {
	plan, w := binary.Uvarint(b)
	if w <= 0 || plan > math.MaxInt32 {
		return pos, nil, false
	}
	b = b[w:]
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return pos, nil, false
	}
	keys, rest := b[w:w+int(n)], b[w+int(n):]
	pos.plan = int(plan)
	if n > 0 {
		pos.after = attr.Item(keys)
	}
	return pos, rest, attr.Valid(keys)
}
