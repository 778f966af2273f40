// Package dynamodb is the DynamoDB service: one thin file per operation. An operation checks what is particular to it, finds
// its table, calls one thing of the database, and shapes the answer. operations.go lists them all; errors.go is the only
// place that knows how the database's errors are called in AWS's words.
//
// # The order of checks
//
// Of several faults in a request that of the earliest step is told:
//
//	A, B   JSON types, constraints of the shapes: done by the front
//	C      members that exclude each other; names and values without an expression
//	D      attribute values of items, keys, Expected, AttributeUpdates, start keys
//	E      what is the operation's own
//	F      legacy conditions
//	G to I the maps of names and values, the expressions, what they leave unused
//	J      the table
//	K      keys, index keys, paths into keys
//	L to N the condition, the update and the size of what it makes, the write
package dynamodb

import (
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/db/lifecycle"
	"github.com/grammedb/gramme/internal/db/query"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/flow/kinesis"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// A Config names what the service works with.
type Config struct {
	Catalog     *table.Catalog
	Lifecycle   *lifecycle.Manager
	Store       *store.Store
	Reader      *query.Reader
	Expressions *expr.Cache
	Kinesis     *kinesis.Manager
	InMemory    bool // no write waits for a disk
	Now         func() time.Time
}

// A Service answers the operations.
type Service struct{ Config }

// New returns a service.
func New(c Config) *Service { return &Service{c} }

// API returns the service as the front serves it.
func (s *Service) API() *api.Service {
	return &api.Service{
		Name:         "dynamodb",
		TargetPrefix: "DynamoDB_20120810",
		SigningName:  "dynamodb",
		Protocol:     api.JSON10,
		Ops:          s.operations(),
		Translate:    translate,
	}
}
