package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

// tailOptions are what tail can be told.
type tailOptions struct {
	endpoint, region string
	from             string
	enable           bool
}

func (o *tailOptions) flags() *flag.FlagSet {
	fs := flag.NewFlagSet("tail", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.endpoint, "endpoint", "", "`URL` of the server, or aws; else AWS_ENDPOINT_URL_DYNAMODB, else AWS_ENDPOINT_URL, else http://127.0.0.1:8000")
	fs.StringVar(&o.region, "region", "", "the `region` of the table; else AWS_REGION, else us-east-1")
	fs.StringVar(&o.from, "from", "latest", "`where` to begin: horizon (the oldest change that is kept) or latest")
	fs.BoolVar(&o.enable, "enable", false, "give the table a stream with both images if it has none")
	return fs
}

func helpTail(w io.Writer) {
	fmt.Fprint(w, "\n  gramme tail [flags] TABLE\n\n")
	listFlags(w, new(tailOptions).flags())
	fmt.Fprint(w, "\nIt prints each change as the stream tells it, one JSON object a line, until it is interrupted. Credentials are those of the\nenvironment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), as are certificates to trust too (AWS_CA_BUNDLE)\nand proxies (HTTPS_PROXY, HTTP_PROXY, NO_PROXY).\n")
}

var errTail = fmt.Errorf("%w tail", errUsage)

// parseMixed parses flags that stand before, between and after the other arguments, which it returns.
func parseMixed(fs *flag.FlagSet, args []string) (others []string, err error) {
	for {
		if err := fs.Parse(args); err != nil || fs.NArg() == 0 {
			return others, err
		}
		others = append(others, fs.Arg(0))
		args = fs.Args()[1:]
	}
}

// tail prints the changes of a table as they happen.
func tail(ctx context.Context, args []string, std stdio) error {
	o := new(tailOptions)
	fs := o.flags()
	names, err := parseMixed(fs, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return helpFor([]string{"tail"}, std)
	case err != nil:
		return fmt.Errorf("%w; %w", err, errTail)
	case len(names) != 1:
		return fmt.Errorf("tail takes the name of one table; %w", errTail)
	case o.from != "latest" && o.from != "horizon":
		return fmt.Errorf("--from %s: want horizon or latest; %w", o.from, errTail)
	}
	c, err := newClient(o.endpoint, o.region, std.getenv)
	if err != nil {
		return err
	}
	defer c.close()
	arn, fresh, err := c.findStream(ctx, names[0], o.enable)
	if err == nil {
		t := &tailing{client: c, arn: arn, std: std, first: "TRIM_HORIZON", shards: map[string]*tailed{}}
		if o.from == "latest" && !fresh {
			t.first = "LATEST"
		}
		err = t.run(ctx)
	}
	if ctx.Err() != nil {
		return nil // interrupted, as it should be
	}
	return err
}

// A tableDescription is what tail needs of one.
type tableDescription struct {
	TableStatus         string
	LatestStreamArn     string
	StreamSpecification struct{ StreamEnabled bool }
}

// findStream returns the ARN of the stream of a table. If there is none and it is told to, it enables one: fresh.
func (c *client) findStream(ctx context.Context, table string, enable bool) (arn string, fresh bool, err error) {
	d, err := c.describeTable(ctx, table)
	switch {
	case err != nil:
		return "", false, err
	case d.StreamSpecification.StreamEnabled:
		return d.LatestStreamArn, false, nil
	case !enable:
		return "", false, fmt.Errorf("table %s has no stream: give it one with --enable", table)
	}
	in := map[string]any{"TableName": table, "StreamSpecification": map[string]any{"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"}}
	if err := c.call(ctx, "UpdateTable", in, new(struct{})); err != nil {
		return "", false, err
	}
	for {
		d, err := c.describeTable(ctx, table)
		if err != nil || d.TableStatus == "ACTIVE" {
			return d.LatestStreamArn, true, err
		}
		if err := pause(ctx, tailPause); err != nil {
			return "", false, err
		}
	}
}

func (c *client) describeTable(ctx context.Context, table string) (tableDescription, error) {
	var out struct{ Table tableDescription }
	err := c.call(ctx, "DescribeTable", map[string]any{"TableName": table}, &out)
	return out.Table, err
}

// pause waits for d, or fails when ctx is done.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// compact prints a record on one line.
func compact(w io.Writer, record json.RawMessage) error {
	var line bytes.Buffer
	if err := json.Compact(&line, record); err != nil {
		return err
	}
	line.WriteByte('\n')
	_, err := w.Write(line.Bytes())
	return err
}
