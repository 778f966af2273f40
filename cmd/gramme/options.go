package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/grammedb/gramme"
)

// options are what serve can be told, by flags, by the environment and by a file, in this order of precedence.
type options struct {
	listen         string
	data           string
	memory         bool
	keyFile        string
	keys           list
	region         string
	oneRegion      bool
	config         string
	tlsCert        string
	tlsKey         string
	lifecycleDelay time.Duration
	origins        list
	hosts          list
	anyCredentials bool
	logFormat      string
	logLevel       string
	pprof          bool
	metricsToken   string
	maxConns       int
	requestMemory  int64
	cache          int64
	functions      bool
	streams        gramme.StreamLimits
	kinesis        string
	kinesisKey     string
	getenv         func(string) string // nil: there is no environment
}

// A list is a flag that may be repeated or have several values, separated by commas.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

// Set adds values.
func (l *list) Set(s string) error {
	for v := range strings.SplitSeq(s, ",") {
		if v = strings.TrimSpace(v); v != "" {
			*l = append(*l, v)
		}
	}
	return nil
}

// flags binds the options to their flags. The text before a quoted word names the argument.
func (o *options) flags() *flag.FlagSet {
	fs := flag.NewFlagSet("serve", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.listen, "listen", "127.0.0.1:8000", "`address` to listen on; port 0 picks one")
	fs.StringVar(&o.data, "data", "./gramme-data", "data `directory`, made if missing, locked while in use")
	fs.BoolVar(&o.memory, "memory", false, "keep nothing: for tests")
	fs.StringVar(&o.keyFile, "key-file", "", "`file` of access keys, one ID:SECRET a line")
	fs.Var(&o.keys, "key", "an access `key`, ID:SECRET, for trying out; the command line is no place for secrets")
	fs.StringVar(&o.region, "region", "", "the `region` this process is; without it every region that is asked for")
	fs.BoolVar(&o.oneRegion, "one-region", false, "every region sees the same tables")
	fs.StringVar(&o.config, "config", "", "YAML `file` with options by the names of the flags")
	fs.StringVar(&o.tlsCert, "tls-cert", "", "`file` of the certificate, PEM; with --tls-key: serve HTTPS")
	fs.StringVar(&o.tlsKey, "tls-key", "", "`file` of the certificate's key, PEM")
	fs.DurationVar(&o.lifecycleDelay, "lifecycle-delay", 0, "how long tables stay CREATING, UPDATING, DELETING: a `duration` like 2s")
	fs.Var(&o.origins, "cors-origin", "web `origin` that may call although there are no keys, like https://app.example; repeatable")
	fs.Var(&o.hosts, "allow-host", "host `name` by which clients may call although there are no keys; repeatable")
	fs.BoolVar(&o.anyCredentials, "insecure-any-credentials", false, "listen beyond loopback without keys: everybody who gets there may do everything")
	fs.StringVar(&o.logFormat, "log-format", "text", "`format` of the log on standard error: text or json")
	fs.StringVar(&o.logLevel, "log-level", "info", "least `level` that is logged: debug, info, warn or error")
	fs.BoolVar(&o.functions, "functions", false, "run Lambda functions, which are programs that callers bring; needs access keys")
	fs.BoolVar(&o.pprof, "pprof", false, "serve profiles under /_gramme/pprof/")
	fs.StringVar(&o.metricsToken, "metrics-token", "", "the `token` that readers of metrics and profiles send as Authorization: Bearer; without it, where there are keys, only this machine may")
	fs.IntVar(&o.maxConns, "max-connections", 0, "open connections, a `number`; 0: 16384, or fewer where memory is limited")
	fs.Int64Var(&o.cache, "cache", 0, "`bytes` of the store's cache of blocks, those of items and of what Queries read are half as large each; 0: from the memory limit, or 128 MiB")
	fs.Int64Var(&o.requestMemory, "request-memory", 0, "`bytes` of requests and answers in memory at once; 0: from the memory limit")
	fs.DurationVar(&o.streams.ShardAge, "stream-shard-age", 0, "after what `duration` a shard of a stream goes on in a child; 0: 4h")
	fs.Int64Var(&o.streams.ShardRecords, "stream-shard-records", 0, "the `number` of records a second above which a shard is split; 0: 5000")
	fs.Int64Var(&o.streams.ShardBytes, "stream-shard-bytes", 0, "the `bytes` a second above which a shard is split; 0: 5 MiB")
	fs.Int64Var(&o.streams.Bytes, "stream-bytes", 0, "`bytes` of a table's log beyond which its streams keep less than a day; 0: 16 GiB")
	fs.StringVar(&o.kinesis, "kinesis-endpoint", "", "`URL` of the Kinesis data streams that tables deliver changes to, like https://kinesis.{region}.amazonaws.com")
	fs.StringVar(&o.kinesisKey, "kinesis-key", "", "the access `key` for it, ID:SECRET; without it that of AWS_ACCESS_KEY_ID and its like")
	return fs
}

// variable returns the environment variable of a flag: GRAMME_LOG_FORMAT for log-format.
func variable(flag string) string {
	if flag == "key" {
		return "GRAMME_KEYS"
	}
	return "GRAMME_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// readOptions reads the command line, then takes what it does not say from the environment, then from the file.
func readOptions(args []string, getenv func(string) string) (*options, error) {
	o := &options{getenv: getenv}
	fs := o.flags()
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		return nil, fmt.Errorf("%w; %w", err, errServe)
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("serve takes flags only, not %q; %w", fs.Arg(0), errServe)
	}
	if err := o.checkKept(fs); err != nil {
		return nil, err
	}
	fromEnv := func() error {
		return setFrom(fs, "environment variable", func(name string) ([]string, string) {
			v := getenv(variable(name))
			return slices.DeleteFunc([]string{v}, isEmpty), variable(name)
		})
	}
	fromFile := func() error {
		if o.config == "" {
			return nil
		}
		return readFile(fs, o.config)
	}
	for _, source := range []func() error{fromEnv, fromFile} {
		decided := o.memory
		if err := source(); err != nil {
			return nil, err
		}
		if decided { // a directory that is named with less precedence does not count
			continue
		}
		if err := o.checkKept(fs); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// checkKept refuses to forget what somebody wants to have in a directory.
func (o *options) checkKept(fs *flag.FlagSet) error {
	if !o.memory || !isSet(fs, "data") {
		return nil
	}
	return fmt.Errorf("--memory keeps nothing, and --data %s says where to keep it: choose one of them; %w", o.data, errServe)
}

func isSet(fs *flag.FlagSet, name string) (set bool) {
	fs.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

func isEmpty(s string) bool { return s == "" }

// setFrom sets the flags that are not set from a source, which has values by the flag's name and its own name for them.
func setFrom(fs *flag.FlagSet, kind string, source func(name string) (values []string, as string)) error {
	set := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { set[f.Name] = true })
	var failed error
	fs.VisitAll(func(f *flag.Flag) {
		if set[f.Name] || failed != nil {
			return
		}
		values, as := source(f.Name)
		for _, v := range values {
			if err := fs.Set(f.Name, v); err != nil {
				failed = fmt.Errorf("%s %s: %w; %w", kind, as, err, errServe)
				return
			}
		}
	})
	return failed
}

// readFile sets what is not set from a YAML file.
func readFile(fs *flag.FlagSet, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var all map[string]setting
	if err := yaml.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if keys, ok := all["keys"]; ok { // more natural than key for a list
		all["key"] = append(all["key"], keys...)
		delete(all, "keys")
	}
	for name := range all {
		if fs.Lookup(name) == nil || name == "config" {
			return fmt.Errorf("%s: there is no option %q; %w", path, name, errServe)
		}
	}
	return setFrom(fs, path+":", func(name string) ([]string, string) { return all[name], name })
}

// A setting is one value of the file or a list of them.
type setting []string

// UnmarshalYAML takes a scalar or a list of scalars.
func (s *setting) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.SequenceNode {
		return n.Decode((*[]string)(s))
	}
	var one string
	if err := n.Decode(&one); err != nil {
		return err
	}
	*s = setting{one}
	return nil
}

// helpServe lists the flags.
func helpServe(w io.Writer) {
	fmt.Fprintln(w)
	listFlags(w, new(options).flags())
	fmt.Fprint(w, `
Every option can also be given by an environment variable (GRAMME_LISTEN, GRAMME_KEY_FILE, GRAMME_KEYS for --key, ...) or in the
file that --config names (listen: 127.0.0.1:8000). Flags win over variables, variables over the file.

Called with the flags of DynamoDB Local (-port, -inMemory, -sharedDb, -dbPath, ...) instead of a command, gramme behaves as that
program does.
`)
}

// listFlags writes a line for each flag, and its default where there is one.
func listFlags(w io.Writer, fs *flag.FlagSet) {
	width := 0
	fs.VisitAll(func(f *flag.Flag) { width = max(width, len(flagAndArgument(f))) })
	fs.VisitAll(func(f *flag.Flag) {
		_, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(w, "  %-*s  %s\n", width, flagAndArgument(f), usage)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "0s" {
			fmt.Fprintf(w, "  %-*s  (%s)\n", width, "", f.DefValue)
		}
	})
}

// flagAndArgument returns a flag as it is written: --listen address.
func flagAndArgument(f *flag.Flag) string {
	arg, _ := flag.UnquoteUsage(f)
	return strings.TrimSpace("--" + f.Name + " " + arg)
}
