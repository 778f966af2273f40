package conformance

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/grammedb/gramme"
	"github.com/grammedb/gramme/grammetest"
	"github.com/grammedb/gramme/internal/flow/kinesis/kinesistest"
)

// TestKinesisRefusals: what is refused of a table that never delivered to a stream.
func TestKinesisRefusals(t *testing.T) {
	t.Parallel()
	table := newTable(t, keys("pk:S"))
	arn := "arn:aws:kinesis:" + cfg.Region + ":000000000000:stream/never-there"
	ctx := t.Context()
	out, err := db.DescribeKinesisStreamingDestination(ctx, &dynamodb.DescribeKinesisStreamingDestinationInput{TableName: &table})
	if err != nil || *out.TableName != table || len(out.KinesisDataStreamDestinations) != 0 {
		t.Errorf("described: %+v, %v", out, err)
	}
	_, err = db.DisableKinesisStreamingDestination(ctx, &dynamodb.DisableKinesisStreamingDestinationInput{TableName: &table, StreamArn: &arn})
	wantError(t, err, invalid, "Table is not in a valid state to disable Kinesis Streaming Destination: KinesisStreamingDestination must be ACTIVE to perform DISABLE operation.")
	_, err = db.UpdateKinesisStreamingDestination(ctx, &dynamodb.UpdateKinesisStreamingDestinationInput{TableName: &table, StreamArn: &arn})
	wantError(t, err, invalid, "Streaming destination cannot be updated with given parameters: UpdateKinesisStreamingConfiguration cannot be null or contain only null values")
	for _, describe := range []string{"none-such", "arn:aws:dynamodb:" + cfg.Region + ":000000000000:table/none-such"} {
		if _, err = db.DescribeKinesisStreamingDestination(ctx, &dynamodb.DescribeKinesisStreamingDestinationInput{TableName: &describe}); err == nil {
			t.Errorf("%s is described", describe)
		}
	}
}

// TestKinesisDestination delivers to a stream of the test's own, so it needs a server that knows where that is.
func TestKinesisDestination(t *testing.T) {
	t.Parallel()
	if *awsFlag || *endpointFlag != "" {
		t.Skip("the server under test knows nothing of this test's Kinesis endpoint")
	}
	const arn = "arn:aws:kinesis:us-east-1:000000000000:stream/changes"
	streams := kinesistest.New(arn)
	srv := grammetest.New(t, func(c *gramme.Config) {
		c.Kinesis = gramme.KinesisEndpoint{URL: streams.Listen(t), AccessKey: kinesistest.AccessKey, Secret: kinesistest.Secret}
	})
	k := &kinesisTable{T: t, arn: arn, name: "Changes", db: dynamodb.New(dynamodb.Options{
		Region:       srv.Region,
		Credentials:  credentials.NewStaticCredentialsProvider(srv.AccessKey, srv.SecretKey, ""),
		BaseEndpoint: aws.String(srv.URL()),
	})}
	k.create()
	enabled, err := k.db.EnableKinesisStreamingDestination(t.Context(), &dynamodb.EnableKinesisStreamingDestinationInput{
		TableName: &k.name, StreamArn: aws.String(arn),
		EnableKinesisStreamingConfiguration: &types.EnableKinesisStreamingConfiguration{ApproximateCreationDateTimePrecision: types.ApproximateCreationDateTimePrecisionMicrosecond},
	})
	if err != nil || enabled.DestinationStatus != types.DestinationStatusEnabling || *enabled.StreamArn != arn || *enabled.TableName != k.name {
		t.Fatalf("enabling answers %+v, %v", enabled, err)
	}
	if x := k.await(types.DestinationStatusActive); x.ApproximateCreationDateTimePrecision != types.ApproximateCreationDateTimePrecisionMicrosecond {
		t.Errorf("it is %+v", x)
	}
	for _, v := range []string{"1", "2"} {
		if _, err := k.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &k.name, Item: item{"pk": str("a"), "v": str(v)}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &k.name, Key: key("a")}); err != nil {
		t.Fatal(err)
	}
	for i, r := range streams.Wait(t, 3) {
		k.check(i, r.Data)
	}
	disabled, err := k.db.DisableKinesisStreamingDestination(t.Context(), &dynamodb.DisableKinesisStreamingDestinationInput{TableName: &k.name, StreamArn: aws.String(arn)})
	if err != nil || disabled.DestinationStatus != types.DestinationStatusDisabling {
		t.Errorf("disabling answers %+v, %v", disabled, err)
	}
	k.await(types.DestinationStatusDisabled)
}

// A kinesisTable is a table whose changes are delivered.
type kinesisTable struct {
	*testing.T
	db        *dynamodb.Client
	arn, name string
}

func (k *kinesisTable) create() {
	k.Helper()
	_, err := k.db.CreateTable(k.Context(), &dynamodb.CreateTableInput{
		TableName: &k.name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		k.Fatal(err)
	}
}

// await waits until the destination has a status.
func (k *kinesisTable) await(want types.DestinationStatus) types.KinesisDataStreamDestination {
	k.Helper()
	for deadline := time.Now().Add(maxWait); ; time.Sleep(pollInterval()) {
		out, err := k.db.DescribeKinesisStreamingDestination(k.Context(), &dynamodb.DescribeKinesisStreamingDestinationInput{TableName: &k.name})
		if err != nil || len(out.KinesisDataStreamDestinations) != 1 {
			k.Fatalf("described: %+v, %v", out, err)
		}
		if x := out.KinesisDataStreamDestinations[0]; x.DestinationStatus == want && *x.StreamArn == k.arn {
			return x
		}
		if time.Now().After(deadline) {
			k.Fatalf("it is %+v, not %s", out.KinesisDataStreamDestinations[0], want)
		}
	}
}

// check checks what was delivered of change i.
func (k *kinesisTable) check(i int, data []byte) {
	k.Helper()
	type image struct{ PK, V *struct{ S string } }
	var r struct {
		AWSRegion, EventID, EventName, EventSource, RecordFormat, TableName string
		UserIdentity                                                        json.RawMessage
		DynamoDB                                                            struct {
			ApproximateCreationDateTime          int64
			ApproximateCreationDateTimePrecision string
			Keys                                 image
			NewImage, OldImage                   *image
			SizeBytes                            int
		}
	}
	if err := json.Unmarshal(data, &r); err != nil {
		k.Fatalf("%s: %v", data, err)
	}
	d := &r.DynamoDB
	if r.AWSRegion != "us-east-1" || len(r.EventID) != 36 || r.EventSource != "aws:dynamodb" || r.RecordFormat != "application/json" ||
		r.TableName != k.name || string(r.UserIdentity) != "null" || d.Keys.PK.S != "a" || d.ApproximateCreationDateTimePrecision != "MICROSECOND" ||
		time.Since(time.UnixMicro(d.ApproximateCreationDateTime)).Abs() > slack {
		k.Errorf("record %d: %s", i, data)
	}
	show := func(it *image) string {
		if it == nil {
			return ""
		}
		return it.V.S
	}
	want := []struct {
		event, old, new string
		size            int
	}{{"INSERT", "", "1", 8}, {"MODIFY", "1", "2", 13}, {"REMOVE", "2", "", 8}}[i]
	if r.EventName != want.event || show(d.OldImage) != want.old || show(d.NewImage) != want.new || d.SizeBytes != want.size {
		k.Errorf("record %d: %s, want %+v", i, data, want)
	}
}
