package dynamodb

import (
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/api/ddb"
	"github.com/grammedb/gramme/internal/db/table"
)

// Limits of tags, the lengths in characters.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// mergeTags returns old with the tags sent, which it checks.
func mergeTags(old map[string]string, sent []ddb.Tag) (map[string]string, error) {
	seen := map[string]bool{}
	tags := maps.Clone(old)
	for _, t := range sent {
		if err := checkTag(t); err != nil {
			return nil, err
		}
		if seen[*t.Key] {
			return nil, api.Invalid("Duplicate Tag Keys provided as input: Duplicate Tag Key found %s", *t.Key)
		}
		if tags == nil {
			tags = map[string]string{}
		}
		seen[*t.Key], tags[*t.Key] = true, *t.Value
	}
	if len(tags) > maxTags {
		return nil, api.Invalid("Number of Tags exceed the current limit for the provided ResourceArn")
	}
	return tags, nil
}

func checkTag(t ddb.Tag) error {
	switch {
	case t.Key == nil:
		return api.Invalid("The Tag Key provided is invalid, Key: null")
	case strings.HasPrefix(*t.Key, "aws:"):
		return api.Invalid("Tag Key cannot be prefixed with aws:, Key: %s", *t.Key)
	case *t.Key == "" || !isTagText(*t.Key, maxTagKey):
		return api.Invalid("The Tag Key provided is invalid, Key: %s", *t.Key)
	case t.Value == nil:
		return api.Invalid("The Tag Value provided is invalid, Value: null")
	case !isTagText(*t.Value, maxTagValue):
		return api.Invalid("The Tag Value provided is invalid, Value: %s", *t.Value)
	}
	return nil
}

func isTagText(s string, longest int) bool {
	return utf8.RuneCountInString(s) <= longest && strings.IndexFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsSpace(r) && !strings.ContainsRune("+-=._:/@", r)
	}) < 0
}

// taggedTable finds the table that a request about tags means.
func (s *Service) taggedTable(c *api.Call, arn string) (*table.Definition, error) {
	name, err := tableOfARN(c, arn)
	if err != nil {
		return nil, err
	}
	d := s.Catalog.Get(name)
	if d == nil {
		return nil, api.Errorf("ResourceNotFoundException", "Requested resource not found: ResourceArn: %s not found", arn)
	}
	return d, nil
}
