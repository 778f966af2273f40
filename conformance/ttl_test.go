package conformance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// When expired items go is nobody's promise; that the others stay is.
func TestTimeToLiveSetting(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	status := func() *types.TimeToLiveDescription {
		out, err := db.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &table})
		if err != nil {
			t.Fatal(err)
		}
		return out.TimeToLiveDescription
	}
	if s := status(); s.TimeToLiveStatus != types.TimeToLiveStatusDisabled || s.AttributeName != nil {
		t.Errorf("at first %s on %v", s.TimeToLiveStatus, s.AttributeName)
	}
	kept := []item{
		{"pk": str("no time")},
		{"pk": str("a text"), "expires": str("1")},
		{"pk": str("far away"), "expires": num("99999999999")},
		{"pk": str("long ago"), "expires": num("1000")}, // more than five years: taken for a mistake
	}
	fill(t, table, kept)
	out := enableTTL(t, table)
	if s := out.TimeToLiveSpecification; *s.AttributeName != "expires" || !*s.Enabled {
		t.Errorf("UpdateTimeToLive answers %+v", s)
	}
	eventually(t, func() (bool, string) {
		s := status()
		return s.TimeToLiveStatus == types.TimeToLiveStatusEnabled && aws.ToString(s.AttributeName) == "expires", string(s.TimeToLiveStatus)
	})
	for _, it := range kept {
		wantItem(t, get(t, table, item{"pk": it["pk"]}), it)
	}
}

// enableTTL enables time to live with the attribute expires.
func enableTTL(t testing.TB, table string) *dynamodb.UpdateTimeToLiveOutput {
	t.Helper()
	out, err := db.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: &table, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expires"), Enabled: aws.Bool(true)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTimeToLiveExpiry: expired items are deleted, those that were there before time to live was enabled too, from indexes as well; the
// stream tells by whom.
func TestTimeToLiveExpiry(t *testing.T) {
	t.Parallel()
	if *awsFlag {
		t.Skip("the service deletes expired items after minutes or days")
	}
	table := newTable(t, keys("pk:S"), gsi("byV", "v:S"), streamed(types.StreamViewTypeNewAndOldImages))
	in := func(d time.Duration) string { return strconv.FormatInt(time.Now().Add(d).Unix(), 10) }
	expiring := func(pk, at string) item { return item{"pk": str(pk), "v": str("x"), "expires": num(at)} }
	later := expiring("later", in(time.Hour))
	never := item{"pk": str("never"), "v": str("x")}
	fill(t, table, []item{later, never, expiring("early", in(-time.Minute)), expiring("fraction", in(-time.Hour)+".5")})
	enableTTL(t, table)
	fill(t, table, []item{expiring("past", in(-time.Hour)), expiring("soon", in(time.Second)), expiring("years ago", in(-4*365*24*time.Hour))})
	if _, err := db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key("never")}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() (bool, string) {
		left := scanAll(t, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
		return len(left) == 1, fmt.Sprint("left: ", left)
	})
	wantItem(t, get(t, table, key("later")), later)
	eventually(t, func() (bool, string) {
		entries := queryAll(t, &dynamodb.QueryInput{TableName: &table, IndexName: aws.String("byV"), KeyConditionExpression: aws.String("v = :v"),
			ExpressionAttributeValues: item{":v": str("x")}})
		return len(entries) == 1, fmt.Sprint("index: ", entries)
	})
	var removed []string
	for _, r := range readStream(t, table).records(7 + 6) {
		if r.EventName != "REMOVE" {
			continue
		}
		by := "a client"
		if r.UserIdentity != nil {
			by = aws.ToString(r.UserIdentity.Type) + " " + aws.ToString(r.UserIdentity.PrincipalId)
		}
		removed = append(removed, image(t, r.Dynamodb.Keys, "pk")+" by "+by)
	}
	slices.Sort(removed)
	const service = " by Service dynamodb.amazonaws.com\n"
	want := "early" + service + "fraction" + service + "never by a client\n" + "past" + service + "soon" + service + "years ago" + service
	if got := strings.Join(removed, "\n") + "\n"; got != want {
		t.Errorf("the stream tells\n%swant\n%s", got, want)
	}
}
