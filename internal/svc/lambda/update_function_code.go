package lambda

import (
	"context"

	"github.com/grammedb/gramme/internal/api"
	shapes "github.com/grammedb/gramme/internal/api/lambda"
)

func (s *Service) updateFunctionCode(ctx context.Context, c *api.Call, in *shapes.UpdateFunctionCodeRequest) (*shapes.FunctionConfiguration, error) {
	s.change.Lock()
	defer s.change.Unlock()
	f, _, err := s.find(ctx, c, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	switch {
	case in.Publish != nil && *in.Publish || in.PublishTo != nil:
		return nil, notBuilt("Publish")
	case text(in.SourceKMSKeyArn) != "":
		return nil, notBuilt("SourceKMSKeyArn")
	case in.RevisionId != nil && *in.RevisionId != f.Revision:
		return nil, precondition()
	}
	if len(in.Architectures) == 0 {
		in.Architectures = []string{f.Code.Architecture}
	}
	code := sent{in.ZipFile, in.S3Bucket, in.ImageUri, in.Architectures, f.Code.URL != ""}
	old := f.Code
	if f.Code, err = code.check(); err != nil {
		return nil, err
	}
	if in.DryRun != nil && *in.DryRun {
		return f.updated(), nil
	}
	if err := s.keep(ctx, &f.Code, in.ZipFile); err != nil {
		return nil, err
	}
	if err := s.replace(ctx, f); err != nil {
		s.forget(ctx, &f.Code)
		return nil, err
	}
	s.forget(ctx, &old)
	return f.updated(), nil
}

// replace stores a changed function. REQUIRES: s.change is held since it was loaded.
func (s *Service) replace(ctx context.Context, f *function) error {
	s.touch(f)
	there, err := s.state.put(ctx, f.reference().id(), f, ifThere)
	if err == nil && !there {
		err = functionNotFound(f.arn())
	}
	return err
}
