package lambda

import (
	"maps"
	"slices"
	"strings"

	shapes "github.com/grammedb/gramme/internal/api/lambda"
	"github.com/grammedb/gramme/internal/lib/lambdarun"
)

// What a function has unless it is told otherwise.
const (
	defaultTimeout = 3   // s
	defaultMemory  = 128 // MB
	defaultStorage = 512 // MB
	maxName        = 64
	maxEnvironment = 4 << 10
)

// A change is what CreateFunction and UpdateFunctionConfiguration both take.
type change struct {
	runtime, role, handler, description *string
	timeout, memory                     *int64
	storage                             *shapes.EphemeralStorage
	environment                         *shapes.Environment
	logging                             *shapes.LoggingConfig
	extras                              extras
}

// extras are the members that are refused if they switch anything on.
type extras struct {
	vpc         *shapes.VpcConfig
	deadLetter  *shapes.DeadLetterConfig
	kmsKey      *string
	tracing     *shapes.TracingConfig
	layers      []string
	fileSystems []shapes.FileSystemConfig
	image       *shapes.ImageConfig
	snapStart   *shapes.SnapStart
	capacity    *shapes.CapacityProviderConfig
	durable     *shapes.DurableConfig
}

func (x *extras) check() error {
	return refuse([]member{
		{"VpcConfig", x.vpc != nil && len(x.vpc.SubnetIds)+len(x.vpc.SecurityGroupIds) > 0},
		{"DeadLetterConfig", x.deadLetter != nil && text(x.deadLetter.TargetArn) != ""},
		{"KMSKeyArn", text(x.kmsKey) != ""},
		{"TracingConfig with Mode Active", x.tracing != nil && text(x.tracing.Mode) == "Active"},
		{"Layers", len(x.layers) > 0},
		{"FileSystemConfigs", len(x.fileSystems) > 0},
		{"ImageConfig", x.image != nil && (len(x.image.EntryPoint)+len(x.image.Command) > 0 || text(x.image.WorkingDirectory) != "")},
		{"SnapStart with ApplyOn PublishedVersions", x.snapStart != nil && text(x.snapStart.ApplyOn) == "PublishedVersions"},
		{"CapacityProviderConfig", x.capacity != nil},
		{"DurableConfig", x.durable != nil},
	})
}

// A member is one of a request, which may switch on what there is not.
type member struct {
	name string
	on   bool
}

// refuse refuses the first member that does.
func refuse(members []member) error {
	for _, m := range members {
		if m.on {
			return notBuilt(m.name)
		}
	}
	return nil
}

// text returns what a member says; "" if it is absent.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// apply changes the settings. The result is complete if they were, and then has a runtime that there is.
func (ch *change) apply(set *settings) error {
	if err := ch.extras.check(); err != nil {
		return err
	}
	assign(&set.Runtime, ch.runtime)
	assign(&set.Role, ch.role)
	assign(&set.Handler, ch.handler)
	assign(&set.Description, ch.description)
	assign(&set.Timeout, ch.timeout)
	assign(&set.Memory, ch.memory)
	if ch.storage != nil {
		assign(&set.Storage, ch.storage.Size)
	}
	if ch.logging != nil {
		if text(ch.logging.LogFormat) == "JSON" {
			return notBuilt("LoggingConfig with LogFormat JSON")
		}
		assign(&set.LogGroup, ch.logging.LogGroup)
	}
	if ch.runtime != nil && !lambdarun.Runs(*ch.runtime) {
		return invalid("Value %s at 'runtime' failed to satisfy constraint: Gramme runs functions of python3.x, nodejs*.x, "+
			"provided, provided.al2 and provided.al2023", *ch.runtime)
	}
	if ch.environment != nil {
		set.Environment = ch.environment.Variables
		return checkEnvironment(set.Environment)
	}
	return nil
}

func assign[T any](dst, src *T) {
	if src != nil {
		*dst = *src
	}
}

// reserved are the variables that Lambda sets itself.
var reserved = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
	"AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY",
	"AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
}

const cannotConfigure = "Lambda was unable to configure your environment variables because the environment variables you have provided "

func checkEnvironment(env map[string]string) error {
	size := 0
	var taken []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		size += len(name) + len(env[name])
		if slices.Contains(reserved, name) {
			taken = append(taken, name)
		}
		if strings.ContainsRune(env[name], 0) {
			return invalid(cannotConfigure+"contain a zero character: %s", name)
		}
	}
	switch {
	case len(taken) > 0:
		return invalid(cannotConfigure+"contains reserved keys that are currently not supported for modification. "+
			"Reserved keys used in this request: %s", strings.Join(taken, ", "))
	case size > maxEnvironment:
		return invalid(cannotConfigure + "exceeded the 4KB limit.")
	}
	return nil
}
