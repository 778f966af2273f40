package lambda

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	shapes "github.com/grammedb/gramme/internal/api/lambda"
)

func (s *Service) updateFunctionConfiguration(ctx context.Context, c *api.Call, in *shapes.UpdateFunctionConfigurationRequest) (*shapes.FunctionConfiguration, error) {
	s.change.Lock()
	defer s.change.Unlock()
	f, _, err := s.find(ctx, c, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if in.RevisionId != nil && *in.RevisionId != f.Revision {
		return nil, precondition()
	}
	if f.Code.URL != "" && (in.Runtime != nil || in.Handler != nil) {
		return nil, invalid("Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.")
	}
	ch := change{
		runtime: in.Runtime, role: in.Role, handler: in.Handler, description: in.Description, timeout: in.Timeout, memory: in.MemorySize,
		storage: in.EphemeralStorage, environment: in.Environment, logging: in.LoggingConfig,
		extras: extras{in.VpcConfig, in.DeadLetterConfig, in.KMSKeyArn, in.TracingConfig, in.Layers, in.FileSystemConfigs, in.ImageConfig,
			in.SnapStart, in.CapacityProviderConfig, in.DurableConfig},
	}
	if err := ch.apply(&f.Settings); err != nil {
		return nil, err
	}
	if err := s.replace(ctx, f); err != nil {
		return nil, err
	}
	return f.updated(), nil
}
