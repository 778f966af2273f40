// Command peers runs gramme bench against several servers in interleaved rounds and prints what each of them did, in Markdown.
//
//	peers -rounds 3 -server 'gramme=gramme serve --memory --listen 127.0.0.1:{port}' -server 'dynalite=node cli.js --port {port}'
//
// It starts the servers and ends them. See peers.sh, which gets them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/grammedb/gramme/bench/internal/server"
	"github.com/grammedb/gramme/internal/bench"
	"github.com/grammedb/gramme/internal/bench/client"
	"github.com/grammedb/gramme/internal/bench/result"
	"github.com/grammedb/gramme/internal/bench/workload"
)

// A peer is a server that takes part.
type peer struct {
	name    string
	command server.Command
	server  *server.Server
	results map[string][]*result.Result // by workload, a result for each round
}

// peers are all of them.
type peers []*peer

// String implements flag.Value.
func (p *peers) String() string { return "" }

// Set adds NAME=COMMAND. Each server has a port of its own.
func (p *peers) Set(text string) error {
	name, command, ok := strings.Cut(text, "=")
	if !ok {
		return errors.New("a server is written NAME=COMMAND")
	}
	port := strconv.Itoa(firstPort + len(*p))
	e, err := client.ParseEndpoint("http://127.0.0.1:" + port)
	if err != nil {
		return err
	}
	*p = append(*p, &peer{name: name, results: map[string][]*result.Result{}, command: server.Command{
		Args: strings.Fields(strings.ReplaceAll(command, "{port}", port)), Endpoint: e, Credentials: credentials,
	}})
	return nil
}

const firstPort = 19370

var credentials = client.Credentials{AccessKey: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Region: "us-east-1"}

func main() {
	if err := mainErr(); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func mainErr() error {
	var all peers
	c := bench.Defaults()
	rounds := flag.Int("rounds", 3, "rounds")
	names := flag.String("workloads", "get,put,update,query,gsi,batchget,batchwrite,txwrite,scan", "workloads of gramme bench")
	flag.Uint64Var(&c.Items, "items", 10_000, "items in each table")
	flag.IntVar(&c.Connections, "c", 16, "connections")
	flag.DurationVar(&c.Duration, "d", 2*time.Second, "length of each measurement")
	flag.Var(&all, "server", "a server, `NAME=COMMAND`, with {port} for its port; repeatable")
	flag.Parse()
	c.Warmup, c.Credentials, c.Version, c.Keep = time.Second, credentials, "bench/peers", true
	workloads := strings.Split(*names, ",")
	err := all.run(c, workloads, *rounds)
	all.report(os.Stdout, workloads)
	return err
}

// run starts the servers, measures in rounds, and ends them.
func (p peers) run(c bench.Config, workloads []string, rounds int) (err error) {
	for _, one := range p {
		if one.server, err = server.Start(one.command); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, one.server.Stop()) }()
	}
	for round := range rounds {
		for _, w := range workloads {
			for i := range p {
				one := p[(i+round)%len(p)] // none always follows the same one
				if err := one.measure(c, w); err != nil {
					return fmt.Errorf("%s, %s: %w", one.name, w, err)
				}
			}
		}
	}
	return nil
}

// measure runs one workload.
func (p *peer) measure(c bench.Config, name string) error {
	mix, err := workload.ParseMix(name)
	if err != nil {
		return err
	}
	c.Workload, c.Endpoint, c.URL, c.ServerPID = name, p.command.Endpoint, "http://"+p.command.Endpoint.Address, p.server.PID()
	c.Table = "peers"
	if mix.Indexed() {
		c.Table = "peers-indexed"
	}
	res, err := bench.Run(context.Background(), c)
	if err != nil {
		return err
	}
	p.results[name] = append(p.results[name], res)
	fmt.Fprintf(os.Stderr, "%s, %s: %.0f operations/s, errors %d %s\n", p.name, name, res.Totals.PerSecond, res.Totals.Errors, res.Sample)
	return nil
}
