package lambda

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/grammedb/gramme/internal/lib/lambdarun"
	"github.com/grammedb/gramme/internal/lib/unzip"
)

// How many processes there may be. Each is a Python or a Node.js, so memory is what bounds them.
const (
	maxProcesses   = 64
	maxPerFunction = 10
	keptIdle       = 10 * time.Minute
)

// errNoCode says that the code of a function was replaced while it was being read.
var errNoCode = errors.New("lambda: the code is not there any more")

// A host runs functions.
type host struct {
	cfg          Config
	state        state
	runner       *lambdarun.Runner
	interpreters *lambdarun.Interpreters
	emulators    emulators

	mu    sync.Mutex
	codes map[string]*unpacked // guarded by mu: by blob
}

// An unpacked is code on the disk, for as long as a process uses it.
type unpacked struct {
	dir   string
	users int           // guarded by the host's mu
	ready chan struct{} // closed when it is there, or err is set
	err   error
}

// openHost makes a host in an empty directory.
func openHost(cfg Config, st state) (*host, error) {
	if err := os.RemoveAll(cfg.Dir); err != nil {
		return nil, err
	}
	for _, dir := range []string{"runtime", "code", "tmp"} {
		if err := os.MkdirAll(filepath.Join(cfg.Dir, dir), 0o700); err != nil {
			return nil, err
		}
	}
	interpreters, err := lambdarun.NewInterpreters(filepath.Join(cfg.Dir, "runtime"))
	if err != nil {
		return nil, err
	}
	runner := lambdarun.New(lambdarun.Config{
		Dir: filepath.Join(cfg.Dir, "tmp"), Limit: maxProcesses, PerFunction: maxPerFunction, Idle: keptIdle, Log: cfg.Logger,
	})
	return &host{
		cfg: cfg, state: st, runner: runner, interpreters: interpreters, emulators: emulators{grace: emulatorGrace}, codes: map[string]*unpacked{},
	}, nil
}

// close ends all functions and removes what they ran from.
func (h *host) close() {
	h.runner.Close()
	if err := os.RemoveAll(h.cfg.Dir); err != nil {
		h.cfg.Logger.Warn("files of functions are left", "error", err)
	}
}

// invoke runs one invocation. It fails if the function was not asked.
func (h *host) invoke(ctx context.Context, f *function, req lambdarun.Request) (lambdarun.Result, error) {
	if f.Code.URL != "" {
		return h.emulators.invoke(ctx, f, req)
	}
	return h.runner.Invoke(ctx, h.program(f), req)
}

// program is a function as the runner wants it.
func (h *host) program(f *function) *lambdarun.Function {
	return &lambdarun.Function{
		ARN: f.arn(), Revision: f.Revision, Name: f.Name, Version: latest,
		Timeout: time.Duration(f.Settings.Timeout) * time.Second,
		Memory:  f.Settings.Memory,
		Open:    func(ctx context.Context) (string, func(), error) { return h.unpack(ctx, &f.Code) },
		Command: h.interpreters.Command(f.Settings.Runtime),
		Env:     h.environment(f),
	}
}

// unpack has the code on the disk until release is called.
func (h *host) unpack(ctx context.Context, c *code) (dir string, release func(), err error) {
	u, first := h.share(c.Blob)
	if first {
		u.err = h.extract(context.WithoutCancel(ctx), c, u.dir) // others wait for it too
		close(u.ready)
	}
	<-u.ready
	release = sync.OnceFunc(func() { h.release(c.Blob, u) })
	if u.err != nil {
		release()
		return "", nil, u.err
	}
	return u.dir, release, nil
}

// share returns the unpacked code of a blob and whether the caller is the first to want it.
func (h *host) share(blob string) (u *unpacked, first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	u = h.codes[blob]
	if u == nil {
		first = true
		u = &unpacked{dir: filepath.Join(h.cfg.Dir, "code", newID()), ready: make(chan struct{})}
		h.codes[blob] = u
	}
	u.users++
	return u, first
}

// release removes the code when nobody uses it any more. One that failed is not shared with those to come.
func (h *host) release(blob string, u *unpacked) {
	if h.unshare(blob, u) {
		_ = os.RemoveAll(u.dir) // what is left goes at the next start
	}
}

// unshare takes a user from the code and reports whether it was the last one.
func (h *host) unshare(blob string, u *unpacked) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	u.users--
	if (u.users == 0 || u.err != nil) && h.codes[blob] == u {
		delete(h.codes, blob)
	}
	return u.users == 0
}

func (h *host) extract(ctx context.Context, c *code, dir string) error {
	archive, err := h.state.getBlob(ctx, c.Blob, c.Size)
	if err != nil {
		return err
	}
	if archive == nil {
		return errNoCode
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if err := unzip.Extract(archive, dir, maxUnzipped); err != nil {
		return fmt.Errorf("lambda: unpacking code: %w", err)
	}
	return nil
}

// inherited are the variables of this process that functions see: what is needed to find and start programs.
var inherited = []string{"PATH", "HOME", "LD_LIBRARY_PATH", "SystemRoot", "SystemDrive", "COMSPEC", "PATHEXT", "USERPROFILE", "TEMP", "TMP"}

// environment returns the environment of a function as Lambda makes it. Of two values of a variable the later counts.
func (h *host) environment(f *function) []string {
	env := []string{
		"LANG=en_US.UTF-8", "TZ=:UTC", "PYTHONDONTWRITEBYTECODE=1",
		"AWS_ENDPOINT_URL=" + h.cfg.Endpoint, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, // of the user of this machine
	}
	for _, name := range inherited {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	set := &f.Settings
	for name, value := range set.Environment {
		env = append(env, name+"="+value)
	}
	return append(env,
		"_HANDLER="+set.Handler, "LAMBDA_RUNTIME_DIR="+filepath.Join(h.cfg.Dir, "runtime"),
		"AWS_REGION="+f.Region, "AWS_DEFAULT_REGION="+f.Region,
		"AWS_ACCESS_KEY_ID="+h.cfg.Credentials.ID, "AWS_SECRET_ACCESS_KEY="+h.cfg.Credentials.Secret,
		"AWS_EXECUTION_ENV=AWS_Lambda_"+set.Runtime, "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_FUNCTION_NAME="+f.Name, "AWS_LAMBDA_FUNCTION_VERSION="+latest,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE="+strconv.FormatInt(set.Memory, 10),
		"AWS_LAMBDA_LOG_GROUP_NAME="+set.LogGroup, "AWS_LAMBDA_LOG_STREAM_NAME=["+latest+"]"+f.Revision,
	)
}
