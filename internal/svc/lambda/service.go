// Package lambda is as much of AWS Lambda as triggers need: functions that run as processes of this machine, or in an emulator
// somewhere, and event source mappings that call them with what changes in tables.
//
// It is a client of the database: what it keeps lies in a table of the system's namespace, and streams are read through the
// same operations that clients call.
package lambda

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/grammedb/gramme/internal/api"
	shapes "github.com/grammedb/gramme/internal/api/lambda"
	"github.com/grammedb/gramme/internal/iam"
	"github.com/grammedb/gramme/internal/job"
)

// Config says what the service works with.
type Config struct {
	State   *api.Invoker // as iam.System
	Streams *api.Invoker // as the service that reads users' streams
	Jobs    *job.Runner
	Dir     string // for code and temporary files; emptied at start
	// Endpoint is the URL at which functions reach this server, Credentials what they sign with.
	Endpoint    string
	Credentials iam.Key
	Now         func() time.Time
	Logger      *slog.Logger
}

// A Service answers the operations and runs functions. It must be closed.
type Service struct {
	cfg    Config
	state  state
	host   *host
	events *events
	change sync.Mutex // held by what changes functions and mappings

	mu      sync.Mutex
	pollers map[string]*poller // guarded by mu: by UUID, of the mappings that there are
}

// Open makes the service and goes on with the invocations that were waiting when it was closed.
func Open(ctx context.Context, cfg Config) (*Service, error) {
	s := &Service{cfg: cfg, state: state{cfg.State}, pollers: map[string]*poller{}}
	if err := s.state.open(ctx); err != nil {
		return nil, err
	}
	var err error
	if s.host, err = openHost(cfg, s.state); err != nil {
		return nil, err
	}
	if s.events, err = openEvents(ctx, s); err != nil {
		s.host.close()
		return nil, err
	}
	if err := s.sweep(ctx); err != nil {
		s.host.close()
		return nil, err
	}
	if err := s.startPollers(ctx); err != nil {
		s.host.close()
		return nil, err
	}
	cfg.Jobs.Go("lambda: asynchronous invocations", s.events.run)
	cfg.Jobs.Every("lambda: end idle processes", time.Minute, s.host.runner.ReapIdle)
	return s, nil
}

// sweep removes the code of functions that were not completely made or removed.
func (s *Service) sweep(ctx context.Context) error {
	used := s.events.blobs()
	functions, err := all[function](ctx, s.state, span{pk: "function"})
	if err != nil {
		return err
	}
	for _, f := range functions {
		used[f.Code.Blob] = true
	}
	mappings, err := all[mapping](ctx, s.state, span{pk: "mapping"})
	if err != nil {
		return err
	}
	for _, m := range mappings {
		if err := s.checkpoints(&m).blobs(ctx, used); err != nil {
			return err
		}
	}
	return s.state.sweepBlobs(ctx, used)
}

// Close ends all functions. The jobs have ended, and no call is running.
func (s *Service) Close() { s.host.close() }

// API returns the service as the front serves it.
func (s *Service) API() *api.Service { return service(s.operations()) }

func service(ops []*api.Op) *api.Service {
	for _, o := range shapes.Operations() {
		for _, op := range ops {
			if op.Name == o.Name {
				op.Bind = api.Binding{Method: o.Method, URI: o.URI, Status: o.Status}
			}
		}
	}
	return &api.Service{Name: "lambda", SigningName: "lambda", Protocol: api.REST, NoPages: true, Ops: ops}
}

// operations is the one list of the operations that are built.
func (s *Service) operations() []*api.Op {
	return []*api.Op{
		api.Define("CreateEventSourceMapping", s.createEventSourceMapping),
		api.Define("CreateFunction", s.createFunction),
		api.Define("DeleteEventSourceMapping", s.deleteEventSourceMapping),
		api.Define("DeleteFunction", s.deleteFunction),
		api.Define("GetEventSourceMapping", s.getEventSourceMapping),
		api.Define("GetFunction", s.getFunction),
		api.Define("GetFunctionConfiguration", s.getFunctionConfiguration),
		api.Define("Invoke", s.invoke),
		api.Define("ListEventSourceMappings", s.listEventSourceMappings),
		api.Define("ListFunctions", s.listFunctions),
		api.Define("UpdateEventSourceMapping", s.updateEventSourceMapping),
		api.Define("UpdateFunctionCode", s.updateFunctionCode),
		api.Define("UpdateFunctionConfiguration", s.updateFunctionConfiguration),
	}
}

// Off returns the service of a server that runs no functions. Every operation says what is missing.
func Off() *api.Service {
	type anything struct{}
	var ops []*api.Op
	for _, o := range shapes.Operations() {
		ops = append(ops, api.Define(o.Name, func(context.Context, *api.Call, *anything) (*api.Nothing, error) {
			return nil, api.AccessDenied("This server runs no Lambda functions, because they are programs that callers bring: " +
				"to allow that, start it with access keys and --functions.")
		}))
	}
	return service(ops)
}

func newID() string { return uuid.NewString() }
