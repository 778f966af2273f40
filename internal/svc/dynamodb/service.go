// Package dynamodb is the DynamoDB service: one thin file per operation. An operation checks what is particular to it, finds
// its table, calls one thing of the database, and shapes the answer. operations.go lists them all; errors.go is the only
// place that knows how the database's errors are called in AWS's words.
package dynamodb

import (
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/db/lifecycle"
	"github.com/grammedb/gramme/internal/db/query"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/lang/expr"
)

// A Config names what the service works with.
type Config struct {
	Catalog     *table.Catalog
	Lifecycle   *lifecycle.Manager
	Store       *store.Store
	Reader      *query.Reader
	Expressions *expr.Cache
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
