package lambda

import (
	"context"
	"unicode/utf8"

	"github.com/grammedb/gramme/internal/api"
	shapes "github.com/grammedb/gramme/internal/api/lambda"
)

func (s *Service) createFunction(ctx context.Context, c *api.Call, in *shapes.CreateFunctionRequest) (*shapes.FunctionConfiguration, error) {
	r, err := refer(c, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if r.qualifier != "" || len(r.name) > maxName {
		return nil, invalid("%s is no name for a function: it has 1 to %d letters, digits, - and _.", *in.FunctionName, maxName)
	}
	if err := checkCreate(in); err != nil {
		return nil, err
	}
	f := &function{Region: c.Region, Account: c.Account, Name: r.name, Tags: in.Tags, Settings: settings{
		Timeout: defaultTimeout, Memory: defaultMemory, Storage: defaultStorage, LogGroup: "/aws/lambda/" + r.name,
	}}
	ch := change{
		runtime: in.Runtime, role: in.Role, handler: in.Handler, description: in.Description, timeout: in.Timeout, memory: in.MemorySize,
		storage: in.EphemeralStorage, environment: in.Environment, logging: in.LoggingConfig,
		extras: extras{in.VpcConfig, in.DeadLetterConfig, in.KMSKeyArn, in.TracingConfig, in.Layers, in.FileSystemConfigs, in.ImageConfig,
			in.SnapStart, in.CapacityProviderConfig, in.DurableConfig},
	}
	if err := ch.apply(&f.Settings); err != nil {
		return nil, err
	}
	code := sent{in.Code.ZipFile, in.Code.S3Bucket, in.Code.ImageUri, in.Architectures, text(in.PackageType) == "Image"}
	if f.Code, err = code.check(); err != nil {
		return nil, err
	}
	return s.add(ctx, f, in.Code.ZipFile)
}

// checkCreate checks what goes together, and refuses what is not built.
func checkCreate(in *shapes.CreateFunctionRequest) error {
	image := text(in.PackageType) == "Image"
	switch {
	case !image && (text(in.Runtime) == "" || text(in.Handler) == ""):
		return invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	case image && (in.Runtime != nil || in.Handler != nil):
		return invalid("Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.")
	case in.Publish != nil && *in.Publish || in.PublishTo != nil:
		return notBuilt("Publish")
	case text(in.CodeSigningConfigArn) != "":
		return notBuilt("CodeSigningConfigArn")
	case in.TenancyConfig != nil:
		return notBuilt("TenancyConfig")
	case text(in.Code.SourceKMSKeyArn) != "":
		return notBuilt("Code.SourceKMSKeyArn")
	}
	return checkTags(in.Tags)
}

// The limits of tags, in number and in characters.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func checkTags(tags map[string]string) error {
	ok := len(tags) <= maxTags
	for key, value := range tags {
		ok = ok && key != "" && utf8.RuneCountInString(key) <= maxTagKey && utf8.RuneCountInString(value) <= maxTagValue
	}
	if !ok {
		return invalid("A function has at most %d tags, with keys of 1 to %d and values of up to %d characters.", maxTags, maxTagKey, maxTagValue)
	}
	return nil
}

// add stores a new function with its code.
func (s *Service) add(ctx context.Context, f *function, zip []byte) (*shapes.FunctionConfiguration, error) {
	if err := s.keep(ctx, &f.Code, zip); err != nil {
		return nil, err
	}
	s.touch(f)
	added, err := s.state.put(ctx, f.reference().id(), f, ifAbsent)
	if err != nil || !added {
		s.forget(ctx, &f.Code)
	}
	if err == nil && !added {
		err = conflict("Function already exist: %s", f.Name)
	}
	if err != nil {
		return nil, err
	}
	return f.created(), nil
}
