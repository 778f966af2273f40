package dynamodb

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
)

// tagsPage is how many tags one answer holds.
const tagsPage = 10

func (s *Service) listTagsOfResource(_ context.Context, c *api.Call, in *ddb.ListTagsOfResourceInput) (*ddb.ListTagsOfResourceOutput, error) {
	d, err := s.taggedTable(c, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	token := tagsToken(*in.ResourceArn)
	all := sortedKeys(d.Tags)
	if in.NextToken != nil {
		last, ok := token.parse(*in.NextToken)
		if !ok {
			return nil, api.Invalid("Invalid NextToken")
		}
		next, found := slices.BinarySearch(all, last)
		if found {
			next++
		}
		all = all[next:]
	}
	out := &ddb.ListTagsOfResourceOutput{Tags: []ddb.Tag{}}
	for _, key := range all[:min(len(all), tagsPage)] {
		out.Tags = append(out.Tags, ddb.Tag{Key: new(key), Value: new(d.Tags[key])})
	}
	if len(all) > tagsPage {
		out.NextToken = new(token.after(all[tagsPage-1]))
	}
	return out, nil
}

// A tagsToken makes and reads the NextTokens of the resource with that ARN: in base64, a check (see tokenCheck) and the last key
// that was listed.
type tagsToken string

func (t tagsToken) after(key string) string {
	return base64.StdEncoding.EncodeToString(append(t.check(key), key...))
}

func (t tagsToken) parse(token string) (key string, ok bool) {
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(raw) < tokenCheck {
		return "", false
	}
	key = string(raw[tokenCheck:])
	return key, string(raw[:tokenCheck]) == string(t.check(key))
}

func (t tagsToken) check(key string) []byte { return check(sha256.Sum256([]byte(t)), []byte(key)) }
