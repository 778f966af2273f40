package conformance

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/grammedb/gramme"
	"github.com/grammedb/gramme/grammetest"
)

// runFunction makes this process a function, by Amazon's own runtime client, if it was started as one.
func runFunction() {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		runtime.Start(handle)
	}
}

// An order is an event of a test, or of a stream.
type order struct {
	events.DynamoDBEvent
	Say, Fail string
}

func handle(ctx context.Context, r order) (map[string]string, error) {
	fmt.Println("called")
	if r.Fail != "" {
		return nil, errors.New(r.Fail)
	}
	for _, rec := range r.Records {
		if err := copyRecord(ctx, rec); err != nil {
			return nil, err
		}
	}
	c, _ := lambdacontext.FromContext(ctx)
	return map[string]string{"said": r.Say, "arn": c.InvokedFunctionArn, "name": lambdacontext.FunctionName}, nil
}

// copyRecord writes a record's new image into the table that the environment names.
func copyRecord(ctx context.Context, rec events.DynamoDBEventRecord) error {
	client := dynamodb.New(dynamodb.Options{
		Region:       os.Getenv("AWS_REGION"),
		BaseEndpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL")),
		Credentials:  credentials.NewStaticCredentialsProvider(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
	})
	_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(os.Getenv("COPY")), Item: map[string]ddb.AttributeValue{
		"pk": &ddb.AttributeValueMemberS{Value: rec.Change.NewImage["pk"].String()},
		"by": &ddb.AttributeValueMemberS{Value: rec.EventName},
	}})
	return err
}

// functionServer starts a server that runs functions, and returns its clients.
func functionServer(t *testing.T) (*lambda.Client, *dynamodb.Client) {
	t.Helper()
	if *awsFlag || *endpointFlag != "" {
		t.Skip("the function is this program, which runs on this machine only")
	}
	s := grammetest.New(t, func(c *gramme.Config) { c.Functions = true })
	cfg := aws.Config{Region: s.Region, Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""), BaseEndpoint: aws.String(s.URL())}
	return lambda.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg)
}

// thisProgram returns a zip archive whose bootstrap starts this program.
func thisProgram(t *testing.T) []byte {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "bootstrap"}
	h.SetMode(fs.FileMode(0o755))
	w, err := z.CreateHeader(h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(w, "#!/bin/sh\nexec '%s'\n", program); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func newFunction(t *testing.T, client *lambda.Client, env map[string]string) *lambda.CreateFunctionOutput {
	t.Helper()
	out, err := client.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("this-program"), Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: aws.String("arn:aws:iam::000000000000:role/functions"), Code: &types.FunctionCode{ZipFile: thisProgram(t)},
		Timeout: aws.Int32(60), Environment: &types.Environment{Variables: env},
	})
	if err != nil {
		t.Fatal(err)
	}
	waiter := lambda.NewFunctionActiveV2Waiter(client)
	if err := waiter.Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: out.FunctionName}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestFunction: a program with Amazon's runtime client for Go is a function.
func TestFunction(t *testing.T) {
	t.Parallel()
	client, _ := functionServer(t)
	f := newFunction(t, client, nil)
	out, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: f.FunctionArn, Payload: []byte(`{"Say":"tea"}`), LogType: types.LogTypeTail})
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf(`{"arn":%q,"name":"this-program","said":"tea"}`, *f.FunctionArn); string(out.Payload) != want || out.StatusCode != 200 || out.FunctionError != nil {
		t.Errorf("%d %s", out.StatusCode, out.Payload)
	}
	log, err := base64.StdEncoding.DecodeString(*out.LogResult)
	if err != nil || !strings.Contains(string(log), "\ncalled\n") {
		t.Errorf("log: %s, %v", log, err)
	}
	out, err = client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: f.FunctionName, Payload: []byte(`{"Fail":"no tea"}`)})
	if err != nil || aws.ToString(out.FunctionError) != "Unhandled" || string(out.Payload) != `{"errorMessage":"no tea","errorType":"errorString"}` {
		t.Errorf("%s, %v", out.Payload, err)
	}

	_, err = client.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("nobody")})
	if missing := new(types.ResourceNotFoundException); !errors.As(err, &missing) || missing.ErrorMessage() != "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody" {
		t.Errorf("a function that is not there: %v", err)
	}
	_, err = client.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: f.FunctionName, Runtime: types.RuntimeProvidedal2023, Handler: aws.String("x"),
		Role: f.Role, Code: &types.FunctionCode{ZipFile: thisProgram(t)},
	})
	if exists := new(types.ResourceConflictException); !errors.As(err, &exists) {
		t.Errorf("a function that is there: %v", err)
	}
}

// TestTrigger: it is called with the changes of a table, in the form that Amazon's types for Go have, and reaches the database.
func TestTrigger(t *testing.T) {
	t.Parallel()
	client, tables := functionServer(t)
	for _, name := range []string{"source", "copies"} {
		if _, err := tables.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: &name, BillingMode: ddb.BillingModePayPerRequest,
			AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: ddb.ScalarAttributeTypeS}},
			KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: ddb.KeyTypeHash}},
			StreamSpecification:  &ddb.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddb.StreamViewTypeNewImage},
		}); err != nil {
			t.Fatal(err)
		}
	}
	source, err := tables.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("source")})
	if err != nil {
		t.Fatal(err)
	}
	f := newFunction(t, client, map[string]string{"COPY": "copies"})
	if _, err := client.CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{
		FunctionName: f.FunctionName, EventSourceArn: source.Table.LatestStreamArn, StartingPosition: types.EventSourcePositionLatest,
	}); err != nil {
		t.Fatal(err)
	}
	key := map[string]ddb.AttributeValue{"pk": &ddb.AttributeValueMemberS{Value: "tea"}}
	if _, err := tables.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("source"), Item: key}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(maxWait); ; time.Sleep(pollInterval()) {
		out, err := tables.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("copies"), Key: key})
		if err != nil {
			t.Fatal(err)
		}
		if by, ok := out.Item["by"].(*ddb.AttributeValueMemberS); ok && by.Value == "INSERT" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the function was not called")
		}
	}
}
