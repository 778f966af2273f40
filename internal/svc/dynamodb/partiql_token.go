package dynamodb

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// A NextToken is, in base64, a check (16 bytes), the number of the plan (uvarint) and the keys after which it goes on. The check
// binds it to its statement and finds what was damaged. It is no secret: whoever forges a token reads what the statement
// would have read, for a position outside of what the statement reads is refused.
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

func newNextToken(binding [tokenBinding]byte, at position) *string {
	body := append(binary.AppendUvarint(nil, uint64(at.plan)), at.after...)
	text := base64.StdEncoding.EncodeToString(append(check(binding, body), body...))
	return &text
}

func parseToken(binding [tokenBinding]byte, token string) (position, error) {
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(raw) < tokenCheck {
		return position{}, errNextToken
	}
	body := raw[tokenCheck:]
	plan, w := binary.Uvarint(body)
	if string(raw[:tokenCheck]) != string(check(binding, body)) || w <= 0 || plan > 1<<16 || !attr.Valid(body[w:]) {
		return position{}, errNextToken
	}
	at := position{plan: int(plan)}
	if len(body) > w {
		at.after = attr.Item(body[w:])
	}
	return at, nil
}
