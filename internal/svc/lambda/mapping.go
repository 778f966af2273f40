package lambda

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/grammedb/gramme/internal/api"
	shapes "github.com/grammedb/gramme/internal/api/lambda"
	"github.com/grammedb/gramme/internal/lib/eventpattern"
	"github.com/grammedb/gramme/internal/svc/lambda/esm"
)

// A mapping is an event source mapping as it is kept.
type mapping struct {
	UUID, Region, Account string
	Stream                string // ARN
	Function, Qualifier   string
	Position              string // StartingPosition
	Enabled               bool
	Begun                 bool `json:",omitempty"` // where LATEST is has been written down
	Deleting              bool `json:",omitempty"`
	Settings              mappingSettings
	Modified              time.Time
}

// mappingSettings are what can be set, in the API's units.
type mappingSettings struct {
	Batch, Window, Parallel int64
	MaxAge, Retries         int64 // -1: without end
	Tumbling                int64
	Bisect                  bool     `json:",omitempty"`
	Partial                 bool     `json:",omitempty"`
	Filters                 []string `json:",omitempty"`
	Destination             string   `json:",omitempty"`
}

// The limits of what the model does not limit.
const (
	maxFilters     = 5
	maxDestination = 350
	minRecordAge   = 60
)

func (m *mapping) id() id { return mappingID(m.Region, m.UUID) }

func mappingID(region, uuid string) id { return id{"mapping", region + "/" + uuid} }

func (m *mapping) function() reference {
	return reference{region: m.Region, account: m.Account, name: m.Function, qualifier: m.Qualifier}
}

// findMapping returns the mapping of that UUID.
func (s *Service) findMapping(ctx context.Context, c *api.Call, text string) (*mapping, error) {
	m, found := new(mapping), false
	if uuid.Validate(text) == nil {
		var err error
		if found, err = s.state.get(ctx, mappingID(c.Region, text), m); err != nil {
			return nil, err
		}
	}
	if !found {
		return nil, notFound("The resource you requested does not exist.")
	}
	return m, nil
}

// mappingExtras are the members that CreateEventSourceMapping and UpdateEventSourceMapping both refuse if they switch anything on.
type mappingExtras struct {
	access       []shapes.SourceAccessConfiguration
	scaling      *shapes.ScalingConfig
	managedKafka *shapes.AmazonManagedKafkaEventSourceConfig
	ownKafka     *shapes.SelfManagedKafkaEventSourceConfig
	documents    *shapes.DocumentDBEventSourceConfig
	kmsKey       *string
	metrics      *shapes.EventSourceMappingMetricsConfig
	logging      *shapes.EventSourceMappingLoggingConfig
	pollers      *shapes.ProvisionedPollerConfig
}

func (x *mappingExtras) check() error {
	return refuse([]member{
		{"SourceAccessConfigurations", len(x.access) > 0}, {"ScalingConfig", x.scaling != nil},
		{"AmazonManagedKafkaEventSourceConfig", x.managedKafka != nil}, {"SelfManagedKafkaEventSourceConfig", x.ownKafka != nil},
		{"DocumentDBEventSourceConfig", x.documents != nil}, {"KMSKeyArn", text(x.kmsKey) != ""}, {"MetricsConfig", x.metrics != nil},
		{"LoggingConfig", x.logging != nil}, {"ProvisionedPollerConfig", x.pollers != nil},
	})
}

// A mappingChange is what CreateEventSourceMapping and UpdateEventSourceMapping both take.
type mappingChange struct {
	batch, window, parallel, maxAge, retries, tumbling *int64
	bisect                                             *bool
	responses                                          []string
	filters                                            *shapes.FilterCriteria
	destination                                        *shapes.DestinationConfig
}

func (ch *mappingChange) apply(set *mappingSettings) error {
	assign(&set.Batch, ch.batch)
	assign(&set.Window, ch.window)
	assign(&set.Parallel, ch.parallel)
	assign(&set.MaxAge, ch.maxAge)
	assign(&set.Retries, ch.retries)
	assign(&set.Tumbling, ch.tumbling)
	assign(&set.Bisect, ch.bisect)
	if ch.responses != nil {
		set.Partial = len(ch.responses) > 0
	}
	if ch.filters != nil {
		set.Filters = nil
		for _, f := range ch.filters.Filters {
			set.Filters = append(set.Filters, text(f.Pattern))
		}
	}
	if d := ch.destination; d != nil {
		if d.OnSuccess != nil && text(d.OnSuccess.Destination) != "" {
			return notBuilt("DestinationConfig.OnSuccess")
		}
		set.Destination = ""
		if d.OnFailure != nil {
			set.Destination = text(d.OnFailure.Destination)
		}
	}
	return set.check()
}

// check checks what the shapes do not.
func (set *mappingSettings) check() error {
	if set.MaxAge != -1 && set.MaxAge < minRecordAge {
		return invalid("MaximumRecordAgeInSeconds must be -1 or between %d and 604800.", minRecordAge)
	}
	if set.Tumbling > 0 && set.Parallel > 1 {
		return invalid("TumblingWindowInSeconds and a ParallelizationFactor above 1 exclude each other.")
	}
	if len(set.Destination) > maxDestination {
		return invalid("A destination has at most %d characters.", maxDestination)
	}
	if set.Destination != "" {
		if err := esm.CheckDestination(set.Destination); err != nil {
			return invalid("Gramme has no queues and topics: a destination is a URL to append to or to post to, but %v.", err)
		}
	}
	if len(set.Filters) > maxFilters {
		return invalid("An event source mapping has at most %d filters.", maxFilters)
	}
	_, err := set.patterns()
	return err
}

// patterns compiles the filters.
func (set *mappingSettings) patterns() ([]*eventpattern.Pattern, error) {
	var list []*eventpattern.Pattern
	for _, text := range set.Filters {
		p, err := eventpattern.Parse(text)
		if err != nil {
			return nil, invalid("Invalid filter pattern definition. %s", strings.TrimPrefix(err.Error(), "eventpattern: "))
		}
		list = append(list, p)
	}
	return list, nil
}

// engine returns the settings as the poller wants them.
func (set *mappingSettings) engine() (esm.Settings, error) {
	filters, err := set.patterns()
	seconds := func(n int64) time.Duration { return time.Duration(max(0, n)) * time.Second }
	return esm.Settings{
		Batch: int(set.Batch), Window: seconds(set.Window), Lanes: int(set.Parallel), MaxAge: seconds(set.MaxAge), Retries: int(set.Retries),
		Bisect: set.Bisect, Partial: set.Partial, Tumbling: seconds(set.Tumbling), Filters: filters, Destination: set.Destination,
	}, err
}

// shape shows a mapping in a state; "" is the one that it is in.
func (s *Service) shape(m *mapping, state string) *shapes.EventSourceMappingConfiguration {
	if state == "" {
		switch {
		case m.Deleting:
			state = "Deleting"
		case m.Enabled:
			state = "Enabled"
		default:
			state = "Disabled"
		}
	}
	set := &m.Settings
	out := &shapes.EventSourceMappingConfiguration{
		UUID:                           &m.UUID,
		EventSourceMappingArn:          new(fmt.Sprintf("arn:aws:lambda:%s:%s:event-source-mapping:%s", m.Region, m.Account, m.UUID)),
		EventSourceArn:                 &m.Stream,
		FunctionArn:                    new(m.function().arn()),
		StartingPosition:               &m.Position,
		BatchSize:                      &set.Batch,
		MaximumBatchingWindowInSeconds: &set.Window,
		ParallelizationFactor:          &set.Parallel,
		MaximumRecordAgeInSeconds:      &set.MaxAge,
		MaximumRetryAttempts:           &set.Retries,
		BisectBatchOnFunctionError:     &set.Bisect,
		TumblingWindowInSeconds:        &set.Tumbling,
		FunctionResponseTypes:          []string{},
		DestinationConfig:              &shapes.DestinationConfig{OnFailure: &shapes.OnFailure{}},
		LastModified:                   &m.Modified,
		LastProcessingResult:           new(s.result(m.UUID)),
		State:                          &state,
		StateTransitionReason:          new("User action"),
	}
	if set.Partial {
		out.FunctionResponseTypes = append(out.FunctionResponseTypes, "ReportBatchItemFailures")
	}
	if set.Destination != "" {
		out.DestinationConfig.OnFailure.Destination = &set.Destination
	}
	if len(set.Filters) > 0 {
		out.FilterCriteria = &shapes.FilterCriteria{}
		for i := range set.Filters {
			out.FilterCriteria.Filters = append(out.FilterCriteria.Filters, shapes.Filter{Pattern: &set.Filters[i]})
		}
	}
	return out
}
