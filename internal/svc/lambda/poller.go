package lambda

import (
	"context"
	"sync"

	"github.com/grammedb/gramme/internal/lib/lambdarun"
	"github.com/grammedb/gramme/internal/svc/lambda/esm"
)

// A poller is the work for one mapping as it is set. A change of the mapping ends it and starts another, which begins when the call that
// is under way is over.
type poller struct {
	mapping mapping
	latest  map[string]string // of a mapping that has just begun
	before  *poller           // nil: none
	stop    chan struct{}
	done    chan struct{}

	mu     sync.Mutex
	result string // guarded by mu: LastProcessingResult
}

const noResult = "No records processed"

// result returns what became of the last batch of a mapping.
func (s *Service) result(uuid string) string {
	s.mu.Lock()
	p := s.pollers[uuid]
	s.mu.Unlock()
	if p == nil {
		return noResult
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.result
}

func (p *poller) note(result string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.result = result
}

// startPollers goes on with all mappings after a restart.
func (s *Service) startPollers(ctx context.Context) error {
	mappings, err := all[mapping](ctx, s.state, span{pk: "mapping"})
	for _, m := range mappings {
		s.poll(m, nil)
	}
	return err
}

// poll has a mapping served as it is set now.
func (s *Service) poll(m mapping, latest map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &poller{mapping: m, latest: latest, before: s.pollers[m.UUID], stop: make(chan struct{}), done: make(chan struct{}), result: noResult}
	if before := p.before; before != nil {
		close(before.stop)
		before.mu.Lock()
		p.result = before.result
		before.mu.Unlock()
		if latest == nil {
			p.latest = before.latest
		}
	}
	s.pollers[m.UUID] = p
	if !s.cfg.Jobs.Go("lambda: event source mapping "+m.UUID+" "+newID(), func(ctx context.Context) error { return s.serve(ctx, p) }) {
		close(p.done)
	}
}

// serve does a poller's work. What fails is tried again by whoever called it.
func (s *Service) serve(ctx context.Context, p *poller) error {
	if p.before != nil {
		select {
		case <-p.before.done:
			p.before = nil
		case <-ctx.Done():
			return nil
		}
	}
	var err error
	switch m := &p.mapping; {
	case m.Deleting:
		err = s.removeMapping(ctx, m)
	case m.Enabled:
		err = s.follow(ctx, p)
	}
	if err == nil || ctx.Err() != nil {
		close(p.done)
		return nil
	}
	return err
}

// removeMapping removes a mapping whose last call is over.
func (s *Service) removeMapping(ctx context.Context, m *mapping) error {
	if err := s.checkpoints(m).removeAll(ctx); err != nil {
		return err
	}
	if _, err := s.state.remove(ctx, m.id()); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pollers, m.UUID)
	return nil
}

func (s *Service) checkpoints(m *mapping) checkpoints { return checkpoints{s.state, m.UUID} }

func (s *Service) stream(m *mapping) *stream {
	return &stream{door: s.cfg.Streams, region: m.Region, arn: m.Stream}
}

// follow polls until the poller is stopped.
func (s *Service) follow(ctx context.Context, p *poller) error {
	m := &p.mapping
	settings, err := m.Settings.engine()
	if err != nil {
		return err
	}
	function := m.function()
	function.qualifier = ""
	return esm.NewPoller(esm.Config{
		Settings: settings,
		Source:   s.stream(m),
		Store:    s.checkpoints(m),
		Function: func(ctx context.Context, event []byte) ([]byte, string, error) {
			res, err := s.run(ctx, function, lambdarun.Request{ID: newID(), Payload: event, Wait: true})
			return res.Payload, res.Failure, err
		},
		Latest:      p.latest,
		StreamARN:   m.Stream,
		FunctionARN: m.function().arn(),
		Note:        p.note,
		Now:         s.cfg.Now,
		Log:         s.cfg.Logger.With("mapping", m.UUID),
	}).Run(ctx, p.stop)
}
