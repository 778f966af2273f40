// Command scale measures how a server fares as it grows: the rate of a bulk load and of reads beside it, reads of a table that is
// far larger than the caches, starts after a clean stop and after a crash, and memory.
//
//	scale -items 10000000 -dir DIR -- gramme serve --data DIR/data
//
// It starts the server, which should keep its data in a new directory, with --listen and --key, and stops it and kills it on
// the way. It prints a table in Markdown.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/grammedb/gramme/bench/internal/server"
	"github.com/grammedb/gramme/bench/internal/traffic"
	"github.com/grammedb/gramme/internal/bench/client"
)

func main() {
	if err := mainErr(); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func mainErr() error {
	traffic.Serve()
	var (
		items   = flag.Uint64("items", 10_000_000, "how many items of 400 bytes to load in the end")
		dir     = flag.String("dir", ".", "`directory` on the disk that the server uses, for its free space")
		addr    = flag.String("addr", "127.0.0.1:19310", "`address` for the server")
		conns   = flag.Int("c", 4, "connections that load")
		rate    = flag.Int("rate", 400, "GetItem calls a second beside the load")
		control = flag.String("control", "", "`URL` of a server to compare reads beside the load with, such as refs serve -work echo")
		look    = flag.Duration("look", 4*time.Second, "how long to measure reads each time")
	)
	flag.Parse()
	cred := client.Credentials{AccessKey: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Region: "us-east-1"}
	endpoint := client.Endpoint{Address: *addr, Host: *addr}
	n, err := fit(*items, *dir)
	if err != nil {
		return err
	}
	t := newTest(n, *look)
	t.command = server.Command{
		Args:        append(flag.Args(), "--listen", *addr, "--key", cred.AccessKey+":"+cred.Secret),
		Endpoint:    endpoint,
		Credentials: cred,
	}
	t.load = traffic.Client{Endpoint: endpoint, Credentials: cred, Conns: *conns}
	t.rate, t.measured = *rate, []traffic.Client{{Endpoint: endpoint, Credentials: cred, Conns: 4}}
	if *control != "" {
		endpoint, err := client.ParseEndpoint(*control)
		if err != nil {
			return err
		}
		t.measured = append(t.measured, traffic.Client{Endpoint: endpoint, Credentials: cred, Conns: 4})
	}
	t.during = make([]traffic.Steady, len(t.measured))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) // the server ends too
	defer stop()
	err = t.run(ctx)
	t.report(os.Stdout)
	return err
}

// bytesPerItem is the room that the disk should have for each item while compactions run.
const bytesPerItem = 1500

// fit returns how many items the disk has room for, half of what is free being left alone.
func fit(items uint64, dir string) (uint64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	room := fs.Bavail * uint64(fs.Bsize) / 2 / bytesPerItem / smallItems * smallItems
	if room < items {
		fmt.Fprintf(os.Stderr, "scale: the disk has room for %d items only\n", room)
	}
	return max(min(items, room), smallItems), nil
}
