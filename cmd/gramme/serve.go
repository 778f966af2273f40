package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/grammedb/gramme"
	"github.com/grammedb/gramme/internal/iam"
)

// serve runs the server until ctx is done.
func serve(ctx context.Context, args []string, std stdio) error {
	o, err := readOptions(args, std.getenv)
	if errors.Is(err, flag.ErrHelp) {
		return helpFor([]string{"serve"}, std)
	}
	if err != nil {
		return err
	}
	cfg, err := o.database(std.err)
	if err != nil {
		return err
	}
	if err := o.mayListen(len(cfg.Keys)); err != nil {
		return err
	}
	err = listenAndServe(ctx, o.listen, cfg, func(addr string) { announce(std, addr, &cfg) })
	if errors.Is(err, syscall.EADDRINUSE) {
		err = fmt.Errorf("%w: choose another port with --listen", err)
	}
	return err
}

// listenAndServe opens the database and serves it; ready is called with the address once it can be reached.
func listenAndServe(ctx context.Context, listen string, cfg gramme.Config, ready func(addr string)) error {
	ln, err := net.Listen("tcp", listen) // first: a port that is taken should not cost the opening of a large store
	if err != nil {
		return err
	}
	respectMemoryLimit()
	db, err := gramme.Open(ctx, cfg)
	if err != nil {
		_ = ln.Close()
		return err
	}
	ready(reachable(listen, ln.Addr()))
	var tidy sync.WaitGroup
	tidying, stop := context.WithCancel(ctx)
	tidy.Go(func() { tidyMemory(tidying, newCollector(cfg.Memory), cfg.Logger) })
	if !cfg.Memory {
		tidy.Go(func() { scheduleCommits(tidying, db.Load) })
	}
	err = db.Run(ctx, ln)
	stop()
	tidy.Wait()
	return errors.Join(err, db.Close())
}

// database returns the configuration of the database.
func (o *options) database(logTo io.Writer) (gramme.Config, error) {
	cfg := gramme.Config{
		Dir:            o.data,
		Memory:         o.memory,
		Hosts:          o.hosts,
		Origins:        o.origins,
		Region:         o.region,
		OneRegion:      o.oneRegion,
		LifecycleDelay: o.lifecycleDelay,
		RequestMemory:  o.requestMemory,
		CacheBytes:     o.cache,
		MaxConns:       o.maxConns,
		Pprof:          o.pprof,
		MetricsToken:   o.metricsToken,
		Functions:      o.functions,
		Streams:        o.streams,
	}
	if err := o.checkLimits(); err != nil {
		return cfg, err
	}
	var err error
	if cfg.Logger, err = newLogger(logTo, o.logFormat, o.logLevel); err != nil {
		return cfg, err
	}
	if cfg.Keys, err = o.accessKeys(); err != nil {
		return cfg, err
	}
	if o.functions && len(cfg.Keys) == 0 {
		return cfg, fmt.Errorf("--functions lets callers run programs on this machine, so it needs to know them: give it access keys with --key-file; %w", errServe)
	}
	if cfg.Kinesis, err = o.kinesisEndpoint(); err != nil {
		return cfg, err
	}
	cfg.TLS, err = o.tls()
	return cfg, err
}

// checkLimits refuses numbers and durations below zero.
func (o *options) checkLimits() error {
	for _, l := range []struct {
		flag  string
		value int64
	}{
		{"lifecycle-delay", int64(o.lifecycleDelay)},
		{"request-memory", o.requestMemory},
		{"cache", o.cache},
		{"max-connections", int64(o.maxConns)},
		{"stream-shard-age", int64(o.streams.ShardAge)},
		{"stream-shard-records", o.streams.ShardRecords},
		{"stream-shard-bytes", o.streams.ShardBytes},
		{"stream-bytes", o.streams.Bytes},
	} {
		if l.value < 0 {
			return fmt.Errorf("--%s is negative; %w", l.flag, errServe)
		}
	}
	return nil
}

// tls returns the configuration with the certificate that clients are shown; nil for plain HTTP.
func (o *options) tls() (*tls.Config, error) {
	if (o.tlsCert == "") != (o.tlsKey == "") {
		return nil, fmt.Errorf("--tls-cert and --tls-key go together; %w", errServe)
	}
	if o.tlsCert == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(o.tlsCert, o.tlsKey)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}}, nil
}

// kinesisEndpoint returns where streams are that changes are delivered to, with the credentials for it.
func (o *options) kinesisEndpoint() (e gramme.KinesisEndpoint, err error) {
	switch {
	case o.kinesis == "" && o.kinesisKey != "":
		return e, fmt.Errorf("--kinesis-key is for --kinesis-endpoint; %w", errServe)
	case o.kinesis == "":
		return e, nil
	case o.kinesisKey != "":
		k, err := iam.ParseKey(o.kinesisKey)
		return gramme.KinesisEndpoint{URL: o.kinesis, AccessKey: k.ID, Secret: k.Secret}, err
	case o.getenv != nil:
		e = gramme.KinesisEndpoint{
			AccessKey: o.getenv("AWS_ACCESS_KEY_ID"),
			Secret:    o.getenv("AWS_SECRET_ACCESS_KEY"),
			Token:     o.getenv("AWS_SESSION_TOKEN"),
		}
	}
	if e.AccessKey == "" || e.Secret == "" {
		return e, fmt.Errorf("--kinesis-endpoint needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --kinesis-key; %w", errServe)
	}
	e.URL = o.kinesis
	return e, nil
}

// accessKeys returns the keys of --key and --key-file.
func (o *options) accessKeys() ([]gramme.Key, error) {
	var keys []gramme.Key
	for _, s := range o.keys {
		k, err := iam.ParseKey(s)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if o.keyFile == "" {
		return keys, nil
	}
	f, err := os.Open(o.keyFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	more, err := iam.ReadKeys(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.keyFile, err)
	}
	if len(more) == 0 {
		return nil, fmt.Errorf("%s: there are no keys in it", o.keyFile) // a server open to all is not what was meant
	}
	return append(keys, more...), nil
}

// mayListen refuses to serve everybody without being told to.
func (o *options) mayListen(keys int) error {
	host, _, err := net.SplitHostPort(o.listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w; %w", o.listen, err, errServe)
	}
	if keys > 0 || o.anyCredentials || isLoopback(host) {
		return nil
	}
	return fmt.Errorf("not listening on %s without access keys, because everybody who can reach it could read and change everything: "+
		"give it keys with --key-file, listen on 127.0.0.1, or say --insecure-any-credentials", o.listen)
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// reachable returns the address that was asked for, with the port that it got.
func reachable(listen string, got net.Addr) string {
	host, _, _ := net.SplitHostPort(listen)
	_, port, _ := net.SplitHostPort(got.String())
	if host == "" {
		host = "0.0.0.0"
	}
	return net.JoinHostPort(host, port)
}

// announce says that the server is ready, and to a person also how to use it.
func announce(std stdio, addr string, cfg *gramme.Config) {
	scheme := "http"
	if cfg.TLS != nil {
		scheme = "https"
	}
	fmt.Fprintf(std.out, "gramme: ready on %s://%s\n", scheme, addr)
	if !std.terminal {
		return
	}
	region := cfg.Region
	if region == "" {
		region = "us-east-1"
	}
	fmt.Fprintf(std.out, "\nTo use it:\n\n  export AWS_ENDPOINT_URL=%s://%s AWS_REGION=%s AWS_DEFAULT_REGION=%[3]s",
		scheme, strings.Replace(addr, "0.0.0.0", "127.0.0.1", 1), region)
	if len(cfg.Keys) == 0 {
		fmt.Fprintln(std.out, " AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local")
	} else {
		fmt.Fprintf(std.out, " AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=...\n", cfg.Keys[0].ID)
	}
	fmt.Fprint(std.out, "  aws dynamodb list-tables\n\n")
}

// newLogger makes the log that is written to standard error.
func newLogger(w io.Writer, format, level string) (*slog.Logger, error) {
	var o slog.HandlerOptions
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level %s: want debug, info, warn or error; %w", level, errServe)
	}
	o.Level = l
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, &o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, &o)), nil
	}
	return nil, fmt.Errorf("--log-format %s: want text or json; %w", format, errServe)
}
