package gramme

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/front/gateway"
	"github.com/grammedb/gramme/internal/iam"
	"github.com/grammedb/gramme/internal/svc/lambda"
)

// functions is what Lambda functions need around them: the service, and a way back to the database, which is a loopback port of
// their own without TLS, with an access key that lives as long as the process.
type functions struct {
	service *lambda.Service // nil: not open yet
	key     iam.Key
	ln      net.Listener
	stop    context.CancelFunc
	stopped chan error // nil: not served yet
}

var errOpenFunctions = errors.New("functions are programs that callers bring, so only callers with access keys may: give some, or leave functions off")

// newFunctions prepares what Config.Functions asks for; nil for nothing.
func newFunctions(cfg *Config) (*functions, error) {
	if !cfg.Functions {
		return nil, nil
	}
	if len(cfg.Keys) == 0 {
		return nil, errOpenFunctions
	}
	f := &functions{key: iam.Key{ID: "FUNCTIONS" + rand.Text(), Secret: rand.Text() + rand.Text()}}
	var err error
	if f.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	return f, nil
}

// withKey returns the keys that may call: those given and that of the functions.
func (f *functions) withKey(keys []Key) []Key {
	if f == nil {
		return keys
	}
	return append(slices.Clone(keys), f.key)
}

// startLambda opens the service of functions; without Config.Functions it is one that says what is missing.
func (db *DB) startLambda(ctx context.Context, database []*api.Service) (*api.Service, error) {
	f := db.functions
	if f == nil {
		return lambda.Off(), nil
	}
	dir, err := functionsDir(&db.cfg)
	if err != nil {
		return nil, err
	}
	f.service, err = lambda.Open(ctx, lambda.Config{
		State:       api.NewInvoker(iam.System(), db.cfg.Now, database...),
		Streams:     api.NewInvoker(iam.Service("lambda.amazonaws.com"), db.cfg.Now, database...),
		Jobs:        db.jobs,
		Dir:         dir,
		Endpoint:    "http://" + f.ln.Addr().String(),
		Credentials: f.key,
		Now:         db.cfg.Now,
		Logger:      db.cfg.Logger,
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return f.service.API(), nil
}

// functionsDir returns the directory for the files of functions, which is theirs alone: they are removed at the start and at the end.
// REQUIRES: the store is open, so the data directory is ours and no other process uses it.
func functionsDir(cfg *Config) (string, error) {
	if cfg.Memory {
		return os.MkdirTemp("", "gramme-functions-")
	}
	return filepath.Abs(filepath.Join(cfg.Dir, "functions"))
}

// serve answers what functions ask the database.
func (f *functions) serve(g *gateway.Gateway) {
	if f == nil {
		return
	}
	var ctx context.Context
	ctx, f.stop = context.WithCancel(context.Background())
	f.stopped = make(chan error, 1)
	go func() { f.stopped <- g.Run(ctx, f.ln, gateway.ServerConfig{}) }()
}

// close ends the functions, then their way back. The jobs have ended.
func (f *functions) close() error {
	if f == nil {
		return nil
	}
	if f.service != nil {
		f.service.Close()
	}
	if f.stopped == nil {
		return f.ln.Close()
	}
	f.stop()
	return <-f.stopped
}
