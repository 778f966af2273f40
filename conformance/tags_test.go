package conformance

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// tagsOf lists all pages of a resource's tags.
func tagsOf(t *testing.T, arn string) map[string]string {
	t.Helper()
	tags := map[string]string{}
	in := &dynamodb.ListTagsOfResourceInput{ResourceArn: &arn}
	for {
		out, err := db.ListTagsOfResource(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, tag := range out.Tags {
			tags[*tag.Key] = *tag.Value
		}
		if out.NextToken == nil {
			return tags
		}
		in.NextToken = out.NextToken
	}
}

// wantTags waits until the tags are these: the service changes them in the background.
func wantTags(t *testing.T, arn string, want map[string]string) {
	t.Helper()
	eventually(t, func() (bool, string) {
		got := tagsOf(t, arn)
		return maps.Equal(got, want), fmt.Sprintf("tags %v, want %v", got, want)
	})
}

// settled runs f again while the tags of before are still being written.
func settled(t *testing.T, f func() error) error {
	t.Helper()
	var err error
	eventually(t, func() (bool, string) {
		err = f()
		return !errors.As(err, new(*types.LimitExceededException)), fmt.Sprint(err)
	})
	return err
}

func tagList(pairs ...string) []types.Tag {
	var tags []types.Tag
	for i := 0; i < len(pairs); i += 2 {
		tags = append(tags, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
	}
	return tags
}

func TestTags(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"), func(in *dynamodb.CreateTableInput) { in.Tags = tagList("env", "test", "owner", "me") })
	arn := *describe(t, table).TableArn
	wantTags(t, arn, map[string]string{"env": "test", "owner": "me"})
	tag := func(tags ...types.Tag) error {
		tags = append([]types.Tag{}, tags...) // the SDK refuses nil
		return settled(t, func() error {
			_, err := db.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: &arn, Tags: tags})
			return err
		})
	}
	untag := func(names ...string) error {
		names = append([]string{}, names...)
		return settled(t, func() error {
			_, err := db.UntagResource(t.Context(), &dynamodb.UntagResourceInput{ResourceArn: &arn, TagKeys: names})
			return err
		})
	}
	if err := tag(tagList("env", "prod", "Env", "", "a b+-=._:/@é", "any: text")...); err != nil {
		t.Fatal(err)
	}
	wantTags(t, arn, map[string]string{"env": "prod", "owner": "me", "Env": "", "a b+-=._:/@é": "any: text"})
	if err := untag("Env", "a b+-=._:/@é", "nobody"); err != nil {
		t.Fatal(err)
	}
	wantTags(t, arn, map[string]string{"env": "prod", "owner": "me"})

	wantError(t, tag(), invalid, "Atleast one Tag needs to be provided as Input.")
	wantError(t, untag(), invalid, "Atleast one Tag Key needs to be provided as Input.")
	wantError(t, tag(tagList("aws:x", "y")...), invalid, "Tag Key cannot be prefixed with aws:, Key: aws:x")
	wantError(t, tag(tagList("x", "1", "x", "2")...), invalid, "Duplicate Tag Keys provided as input: Duplicate Tag Key found x")
	wantError(t, tag(tagList(strings.Repeat("k", 129), "")...), invalid, "")
	wantError(t, tag(tagList("k", strings.Repeat("v", 257))...), invalid, "")
	wantTags(t, arn, map[string]string{"env": "prod", "owner": "me"})
}

// A table has at most 50 tags.
func TestTagLimit(t *testing.T) {
	t.Parallel()
	var pairs []string
	want := map[string]string{}
	for i := range 51 {
		name := fmt.Sprintf("tag%02d", i)
		pairs = append(pairs, name, "v")
		if i < 50 {
			want[name] = "v"
		}
	}
	in := tableInput(keys("pk:S"))
	in.Tags = tagList(pairs...)
	_, err := db.CreateTable(t.Context(), in)
	wantError(t, err, invalid, "")
	table := newTable(t, keys("pk:S"), func(in *dynamodb.CreateTableInput) { in.Tags = tagList(pairs[:100]...) })
	arn := *describe(t, table).TableArn
	wantTags(t, arn, want)
	err = settled(t, func() error {
		_, err := db.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: &arn, Tags: tagList("one", "more")})
		return err
	})
	wantError(t, err, invalid, "Number of Tags exceed the current limit for the provided ResourceArn")
}

func TestTagsOfNothing(t *testing.T) {
	t.Parallel()
	arn := *describe(t, newTable(t, keys("pk:S"))).TableArn
	nobody := arn[:strings.LastIndex(arn, "/")+1] + "no-such-table-at-all"
	_, err := db.ListTagsOfResource(t.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: &nobody})
	if !errors.As(err, new(*types.ResourceNotFoundException)) {
		t.Errorf("unknown table: %v", err)
	}
	_, err = db.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: aws.String(arn + "/index/byA"), Tags: tagList("a", "b")})
	wantError(t, err, invalid, "")
}
