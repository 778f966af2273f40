package conformance

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/grammedb/gramme/grammetest"
)

var (
	endpointFlag = flag.String("endpoint", "", "`URL` of the server to test; its credentials are those of the environment, else any")
	awsFlag      = flag.Bool("aws", false, "test DynamoDB itself")
)

// The server under test.
var (
	cfg      aws.Config
	endpoint string // empty: the service's own
	db       *dynamodb.Client
)

func TestMain(m *testing.M) {
	runFunction()
	flag.Parse()
	stop, err := connect()
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
	code := m.Run()
	stop()
	os.Exit(code)
}

// connect sets the server under test, started here if no flag names another.
func connect() (stop func(), err error) {
	stop = func() {}
	switch {
	case *awsFlag:
		cfg, err = config.LoadDefaultConfig(context.Background())
	case *endpointFlag != "":
		endpoint = *endpointFlag
		cfg, err = config.LoadDefaultConfig(context.Background(), orAny)
	default:
		stop, err = start()
	}
	if err != nil {
		return nil, err
	}
	db = dynamodb.NewFromConfig(cfg, atEndpoint)
	if _, err := db.ListTables(context.Background(), &dynamodb.ListTablesInput{Limit: aws.Int32(1)}); err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// start starts a server in this process.
func start() (stop func(), err error) {
	s, err := grammetest.Open()
	if err != nil {
		return nil, err
	}
	endpoint = s.URL()
	cfg = aws.Config{
		Region:      s.Region,
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	}
	return func() {
		if err := s.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "conformance:", err)
		}
	}, nil
}

// orAny gives a region and credentials where the environment has none.
func orAny(o *config.LoadOptions) error {
	if os.Getenv("AWS_REGION") == "" {
		o.Region = "us-east-1"
	}
	if os.Getenv("AWS_ACCESS_KEY_ID") == "" && os.Getenv("AWS_PROFILE") == "" {
		o.Credentials = credentials.NewStaticCredentialsProvider("any", "any", "")
	}
	return nil
}

func atEndpoint(o *dynamodb.Options) {
	if endpoint != "" {
		o.BaseEndpoint = aws.String(endpoint)
	}
}

// pollInterval is how often a test asks whether something has happened.
func pollInterval() time.Duration {
	if *awsFlag {
		return 2 * time.Second
	}
	return 10 * time.Millisecond
}

// maxWait is how long a test waits for something to happen: a bound against hanging, not a measure.
const maxWait = 5 * time.Minute
