// Package dynamodbstreams is the DynamoDB Streams service: one thin file per operation over package streams.
package dynamodbstreams

import (
	"errors"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/flow/streams"
)

// A Config names what the service works with.
type Config struct {
	Reader *streams.Reader
	Secret []byte // signs shard iterators
	Now    func() time.Time
}

// A Service answers the operations.
type Service struct{ Config }

// New returns a service.
func New(c Config) *Service { return &Service{c} }

// API returns the service as the front serves it.
func (s *Service) API() *api.Service {
	return &api.Service{
		Name:         "dynamodbstreams",
		TargetPrefix: "DynamoDBStreams_20120810",
		SigningName:  "dynamodb",
		Protocol:     api.JSON10,
		Ops: []*api.Op{
			api.Define("DescribeStream", s.describeStream),
			api.Define("GetRecords", s.getRecords),
			api.Define("GetShardIterator", s.getShardIterator),
			api.Define("ListStreams", s.listStreams),
		},
		Translate: translate,
	}
}

// translate words the errors of reading that an operation has not worded itself. Only here and there errors have AWS's names.
func translate(err error) *api.Error {
	if errors.Is(err, streams.ErrTrimmed) {
		return api.Errorf("TrimmedDataAccessException", "The operation attempted to read past the oldest stream record in a shard.")
	}
	return nil
}
