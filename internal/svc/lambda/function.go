package lambda

import (
	"context"
	"time"

	"github.com/grammedb/gramme/internal/api"
	shapes "github.com/grammedb/gramme/internal/api/lambda"
)

// A function is a function as it is kept.
type function struct {
	Region, Account, Name string
	Settings              settings
	Tags                  map[string]string `json:",omitempty"`
	Code                  code
	Revision              string // changes with every change
	Modified              time.Time
}

// settings are what UpdateFunctionConfiguration changes.
type settings struct {
	Runtime, Role, Handler, Description string
	Timeout, Memory, Storage            int64             // s, MB, MB
	Environment                         map[string]string `json:",omitempty"`
	LogGroup                            string
}

// code is what a function runs: a zip archive, or what answers at a URL.
type code struct {
	Blob         string `json:",omitempty"`
	Size         int64  `json:",omitempty"`
	SHA256       string // base64
	Architecture string
	URL          string `json:",omitempty"`
}

func (f *function) reference() reference {
	return reference{region: f.Region, account: f.Account, name: f.Name}
}

func (f *function) arn() string { return f.reference().arn() }

func (r reference) id() id { return id{"function", r.region + "/" + r.name} }

// find returns the function that a call is about.
func (s *Service) find(ctx context.Context, c *api.Call, text string, qualifier *string) (*function, reference, error) {
	r, err := refer(c, text, qualifier)
	if err != nil {
		return nil, r, err
	}
	f, err := s.load(ctx, r)
	return f, r, err
}

// load returns a function as it is now.
func (s *Service) load(ctx context.Context, r reference) (*function, error) {
	f := new(function)
	found, err := s.state.get(ctx, r.id(), f)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, functionNotFound(r.arn())
	}
	return f, nil
}

// timeForm is how the service writes the time of a change.
const timeForm = "2006-01-02T15:04:05.000-0700"

// configuration shows a function without its state, as lists do.
func (f *function) configuration() *shapes.FunctionConfiguration {
	set := &f.Settings
	out := &shapes.FunctionConfiguration{
		FunctionName:     &f.Name,
		FunctionArn:      new(f.arn()),
		Role:             &set.Role,
		CodeSize:         &f.Code.Size,
		Description:      &set.Description,
		Timeout:          &set.Timeout,
		MemorySize:       &set.Memory,
		LastModified:     new(f.Modified.UTC().Format(timeForm)),
		CodeSha256:       &f.Code.SHA256,
		Version:          new(latest),
		TracingConfig:    &shapes.TracingConfigResponse{Mode: new("PassThrough")},
		RevisionId:       &f.Revision,
		PackageType:      new("Image"),
		Architectures:    []string{f.Code.Architecture},
		EphemeralStorage: &shapes.EphemeralStorage{Size: &set.Storage},
		SnapStart:        &shapes.SnapStartResponse{ApplyOn: new("None"), OptimizationStatus: new("Off")},
		LoggingConfig:    &shapes.LoggingConfig{LogFormat: new("Text"), LogGroup: &set.LogGroup},
	}
	if f.Code.URL == "" {
		out.PackageType, out.Runtime, out.Handler = new("Zip"), &set.Runtime, &set.Handler
	}
	if len(set.Environment) > 0 {
		out.Environment = &shapes.EnvironmentResponse{Variables: set.Environment}
	}
	return out
}

// described shows a function with its state: there is nothing to wait for.
func (f *function) described() *shapes.FunctionConfiguration {
	out := f.configuration()
	out.State, out.LastUpdateStatus = new("Active"), new("Successful")
	return out
}

// created shows a function in the state that the service's answer has, though the work is done.
func (f *function) created() *shapes.FunctionConfiguration {
	out := f.configuration()
	out.State, out.StateReason, out.StateReasonCode = new("Pending"), new("The function is being created."), new("Creating")
	return out
}

// updated shows a function that was changed, as created does.
func (f *function) updated() *shapes.FunctionConfiguration {
	out := f.described()
	out.LastUpdateStatus, out.LastUpdateStatusReason = new("InProgress"), new("The function is being created.")
	out.LastUpdateStatusReasonCode = new("Creating")
	return out
}

// touch gives a changed function a new revision.
func (s *Service) touch(f *function) {
	f.Revision, f.Modified = newID(), s.cfg.Now()
}
