package conformance

import (
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// The account that STS names is that of the tables.
func TestCallerIdentity(t *testing.T) {
	t.Parallel()
	client := sts.NewFromConfig(cfg, func(o *sts.Options) {
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
	})
	who, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	arn := *describe(t, newTable(t, keys("pk:S"))).TableArn
	if m := regexp.MustCompile(`:(\d{12}):table/`).FindStringSubmatch(arn); m == nil || m[1] != *who.Account {
		t.Errorf("account %s, table %s", *who.Account, arn)
	}
}
