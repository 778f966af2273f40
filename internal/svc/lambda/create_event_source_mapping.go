package lambda

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	shapes "github.com/grammedb/gramme/internal/api/lambda"
	"github.com/grammedb/gramme/internal/svc/lambda/esm"
)

// What a mapping of a stream of DynamoDB has unless it is told otherwise.
var defaultMapping = mappingSettings{Batch: 100, Parallel: 1, MaxAge: -1, Retries: -1}

func (s *Service) createEventSourceMapping(ctx context.Context, c *api.Call, in *shapes.CreateEventSourceMappingRequest) (*shapes.EventSourceMappingConfiguration, error) {
	s.change.Lock()
	defer s.change.Unlock()
	if err := checkNewMapping(c, in); err != nil {
		return nil, err
	}
	f, r, err := s.find(ctx, c, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	m := mapping{
		UUID: newID(), Region: c.Region, Account: c.Account, Stream: *in.EventSourceArn, Function: f.Name, Qualifier: r.qualifier,
		Position: *in.StartingPosition, Enabled: in.Enabled == nil || *in.Enabled, Settings: defaultMapping, Modified: s.cfg.Now(),
	}
	ch := mappingChange{in.BatchSize, in.MaximumBatchingWindowInSeconds, in.ParallelizationFactor, in.MaximumRecordAgeInSeconds,
		in.MaximumRetryAttempts, in.TumblingWindowInSeconds, in.BisectBatchOnFunctionError, in.FunctionResponseTypes, in.FilterCriteria, in.DestinationConfig}
	if err := ch.apply(&m.Settings); err != nil {
		return nil, err
	}
	if err := s.streamExists(ctx, &m); err != nil {
		return nil, err
	}
	if err := s.mappedOnce(ctx, &m); err != nil {
		return nil, err
	}
	if err := s.put(ctx, &m); err != nil {
		return nil, err
	}
	return s.shape(&m, "Creating"), nil
}

// checkNewMapping checks what is only told at the beginning, and refuses what is not built.
func checkNewMapping(c *api.Call, in *shapes.CreateEventSourceMappingRequest) error {
	extras := mappingExtras{in.SourceAccessConfigurations, in.ScalingConfig, in.AmazonManagedKafkaEventSourceConfig, in.SelfManagedKafkaEventSourceConfig,
		in.DocumentDBEventSourceConfig, in.KMSKeyArn, in.MetricsConfig, in.LoggingConfig, in.ProvisionedPollerConfig}
	if err := extras.check(); err != nil {
		return err
	}
	if err := refuse([]member{
		{"Topics", in.Topics != nil}, {"Queues", in.Queues != nil}, {"SelfManagedEventSource", in.SelfManagedEventSource != nil},
		{"StartingPositionTimestamp", in.StartingPositionTimestamp != nil}, {"Tags", len(in.Tags) > 0},
	}); err != nil {
		return err
	}
	region, account, ok := arnParts(text(in.EventSourceArn))
	switch {
	case !ok:
		return invalid("Gramme has no event sources but streams of DynamoDB: %q is the ARN of none.", text(in.EventSourceArn))
	case region != c.Region || account != c.Account:
		return invalid("The event source %s is of another region or account.", *in.EventSourceArn)
	case in.StartingPosition == nil:
		return invalid("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.")
	case *in.StartingPosition == "AT_TIMESTAMP":
		return invalid("Unsupported starting position for stream type.")
	}
	return nil
}

func (s *Service) streamExists(ctx context.Context, m *mapping) error {
	_, err := s.stream(m).Shards(ctx)
	if api.HasCode(err, "ResourceNotFoundException") || api.HasCode(err, "ValidationException") {
		return invalid("Stream not found: %s", m.Stream)
	}
	return err
}

// mappedOnce checks that no other mapping has the stream and the function.
func (s *Service) mappedOnce(ctx context.Context, m *mapping) error {
	others, err := all[mapping](ctx, s.state, span{pk: "mapping", prefix: m.Region + "/"})
	if err != nil {
		return err
	}
	for _, o := range others {
		if o.Stream == m.Stream && o.Function == m.Function && o.Qualifier == m.Qualifier && !o.Deleting && o.UUID != m.UUID {
			return conflict("The event source arn (\" %s \") and function (\" %s \") provided mapping already exists. Please update or delete the "+
				"existing mapping with UUID %s", m.Stream, m.Function, o.UUID)
		}
	}
	return nil
}

// put stores a mapping and has it served. One that begins with what is new begins when it is first enabled.
func (s *Service) put(ctx context.Context, m *mapping) error {
	var latest map[string]string
	if m.Enabled && !m.Begun && m.Position == "LATEST" {
		var err error
		if latest, err = esm.Begin(ctx, s.stream(m), s.checkpoints(m), int(m.Settings.Parallel), m.Modified); err != nil {
			return err
		}
		m.Begun = true
	}
	if _, err := s.state.put(ctx, m.id(), m, always); err != nil {
		return err
	}
	s.poll(*m, latest)
	return nil
}
