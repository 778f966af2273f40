package conformance

import (
	"testing"

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
	out, err := db.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: &table, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expires"), Enabled: aws.Bool(true)},
	})
	if err != nil {
		t.Fatal(err)
	}
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
