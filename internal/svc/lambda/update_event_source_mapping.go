package lambda

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	shapes "github.com/grammedb/gramme/internal/api/lambda"
)

func (s *Service) updateEventSourceMapping(ctx context.Context, c *api.Call, in *shapes.UpdateEventSourceMappingRequest) (*shapes.EventSourceMappingConfiguration, error) {
	s.change.Lock()
	defer s.change.Unlock()
	m, err := s.findMapping(ctx, c, *in.UUID)
	if err != nil {
		return nil, err
	}
	if m.Deleting {
		return nil, inUse("update")
	}
	extras := mappingExtras{in.SourceAccessConfigurations, in.ScalingConfig, in.AmazonManagedKafkaEventSourceConfig, in.SelfManagedKafkaEventSourceConfig,
		in.DocumentDBEventSourceConfig, in.KMSKeyArn, in.MetricsConfig, in.LoggingConfig, in.ProvisionedPollerConfig}
	if err := extras.check(); err != nil {
		return nil, err
	}
	if in.FunctionName != nil {
		f, r, err := s.find(ctx, c, *in.FunctionName, nil)
		if err != nil {
			return nil, err
		}
		m.Function, m.Qualifier = f.Name, r.qualifier
		if err := s.mappedOnce(ctx, m); err != nil {
			return nil, err
		}
	}
	ch := mappingChange{in.BatchSize, in.MaximumBatchingWindowInSeconds, in.ParallelizationFactor, in.MaximumRecordAgeInSeconds,
		in.MaximumRetryAttempts, in.TumblingWindowInSeconds, in.BisectBatchOnFunctionError, in.FunctionResponseTypes, in.FilterCriteria, in.DestinationConfig}
	if err := ch.apply(&m.Settings); err != nil {
		return nil, err
	}
	state := "Updating"
	if in.Enabled != nil && *in.Enabled != m.Enabled {
		m.Enabled = *in.Enabled
		state = map[bool]string{true: "Enabling", false: "Disabling"}[m.Enabled]
	}
	m.Modified = s.cfg.Now()
	if err := s.put(ctx, m); err != nil {
		return nil, err
	}
	return s.shape(m, state), nil
}
