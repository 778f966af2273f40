package kinesis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grammedb/gramme/internal/db/dbtest"
	"github.com/grammedb/gramme/internal/db/lifecycle"
	"github.com/grammedb/gramme/internal/db/table"
	"github.com/grammedb/gramme/internal/flow/kinesis/kinesistest"
)

// TestEnableFails: what is wrong with the stream shows in the destination, and nobody follows the table then.
func TestEnableFails(t *testing.T) {
	for arn, why := range map[string]string{
		"arn:aws:kinesis:eu-test-1:000000000000:stream/none":     "The Kinesis data stream does not exist",
		"arn:aws:kinesis:us-test-1:000000000000:stream/changes":  "The Kinesis data stream is not in the region of the table",
		"arn:aws:kinesis:eu-test-1:000000000000:stream/deleting": "The Kinesis data stream is DELETING",
		"this is no ARN of anything but it is long":              "The ARN is not that of a Kinesis data stream",
	} {
		t.Run(why, func(t *testing.T) {
			w := newWorld(t)
			w.server.Set("arn:aws:kinesis:eu-test-1:000000000000:stream/deleting", "DELETING")
			d, err := w.manager.Enable(t.Context(), music, arn, "")
			if err != nil || d.Destination().Status != table.Enabling {
				t.Fatalf("enabling: %+v, %v", d, err)
			}
			if x := w.await(table.EnableFailed); x.Why != why || x.Stream != arn {
				t.Errorf("it failed with %+v", x)
			}
			if d := w.table(); len(d.Followers) != 0 || len(d.Log.Open) != 0 {
				t.Errorf("the table is followed by %+v", d.Followers)
			}
			w.enable("") // the right one, after all
			if list := w.manager.Destinations(w.table()); len(list) != 1 {
				t.Errorf("there are %+v", list)
			}
		})
	}
}

// TestAnyRegion: tables that are of no region may have a stream of any.
func TestAnyRegion(t *testing.T) {
	w := newWorld(t)
	w.config.AnyRegion = true
	w.start()
	const elsewhere = "arn:aws:kinesis:us-test-1:000000000000:stream/changes"
	w.server.Set(elsewhere, "ACTIVE")
	if _, err := w.manager.Enable(t.Context(), music, elsewhere, ""); err != nil {
		t.Fatal(err)
	}
	w.await(table.Active)
	w.put("artist=a song=s n=0")
	if got := string(w.server.Wait(t, 1)[0].Data); !strings.Contains(got, `"awsRegion":"eu-test-1"`) {
		t.Errorf("delivered %s", got)
	}
}

func TestWrongCredentials(t *testing.T) {
	w := newWorld(t)
	w.config.Endpoint.Secret = "wrong"
	w.start()
	if _, err := w.manager.Enable(t.Context(), music, stream, ""); err != nil {
		t.Fatal(err)
	}
	if x := w.await(table.EnableFailed); !strings.HasPrefix(x.Why, "InvalidSignatureException: ") {
		t.Errorf("it failed with %+v", x)
	}
}

// TestStreamComesLater: one that is being created is waited for, and what is written meanwhile is delivered.
func TestStreamComesLater(t *testing.T) {
	w := newWorld(t)
	w.server.Set(stream, "CREATING")
	if _, err := w.manager.Enable(t.Context(), music, stream, ""); err != nil {
		t.Fatal(err)
	}
	w.put("artist=a song=s n=0")
	w.start()
	if x := w.table().Destination(); x == nil || x.Status != table.Enabling {
		t.Fatalf("the destination is %+v", x)
	}
	w.server.Set(stream, "ACTIVE")
	w.await(table.Active)
	w.server.Wait(t, 1)
}

// TestEndpointNeverThere gives up in the end.
func TestEndpointNeverThere(t *testing.T) {
	w := newWorld(t)
	w.config.Endpoint.URL = "http://127.0.0.1:1"
	w.start()
	if _, err := w.manager.Enable(t.Context(), music, stream, ""); err != nil {
		t.Fatal(err)
	}
	w.jobs.Close()
	w.skipped += enableWithin
	w.start()
	if x := w.await(table.EnableFailed); x.Why != "The Kinesis endpoint cannot be reached" {
		t.Errorf("it failed with %+v", x)
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	other := stream + "2"
	w.server.Set(other, "ACTIVE")
	ctx, m := t.Context(), w.manager
	expect := func(what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	_, err := m.Disable(ctx, music, stream)
	expect("disabling what never was", err, ErrNotActive)
	_, err = m.Update(ctx, music, stream, Microsecond)
	expect("updating what never was", err, ErrNoDestination)
	w.enable("")
	_, err = m.Enable(ctx, music, stream, "")
	expect("enabling again", err, ErrEnabled)
	_, err = m.Enable(ctx, music, other, "")
	expect("enabling another one", err, ErrEnabled)
	_, err = m.Disable(ctx, music, other)
	expect("disabling another one", err, ErrNotActive)
	_, err = m.Update(ctx, music, stream, Millisecond)
	expect("the default precision", err, ErrSamePrecision)
	_, err = m.Enable(ctx, table.Name{Table: "None"}, stream, "")
	if e, ok := errors.AsType[*lifecycle.Error](err); !ok || e.Reason != lifecycle.Missing {
		t.Errorf("a table that is not there: %v", err)
	}
	w.config.Endpoint = Endpoint{}
	w.start()
	w.disable()
	_, err = w.manager.Enable(ctx, music, stream, "")
	expect("enabling without an endpoint", err, ErrNoEndpoint)
}

func TestUpdatePrecision(t *testing.T) {
	w := newWorld(t)
	w.enable("")
	w.put("artist=a song=s n=0")
	w.server.Wait(t, 1)
	d, err := w.manager.Update(t.Context(), music, stream, Microsecond)
	if err != nil || d.Destination().Status != table.Updating {
		t.Fatalf("%+v, %v", d, err)
	}
	if x := w.await(table.Active); x.Precision != Microsecond || x.Coming != "" {
		t.Errorf("it is %+v", x)
	}
	w.put("artist=a song=s n=1")
	for i, r := range w.server.Wait(t, 2) {
		rec := read(t, r).Dynamodb
		at := map[string]time.Time{Millisecond: time.UnixMilli(rec.ApproximateCreationDateTime), Microsecond: time.UnixMicro(rec.ApproximateCreationDateTime)}
		want := []string{Millisecond, Microsecond}[i]
		if rec.ApproximateCreationDateTimePrecision != want || time.Since(at[want]).Abs() > time.Hour {
			t.Errorf("record %d: %+v", i, rec)
		}
	}
}

// TestDisableDelivers what was committed before, and nothing that comes later; and enabling again begins anew.
func TestDisableDelivers(t *testing.T) {
	w := newWorld(t)
	w.enable("")
	w.numbers()
	w.disable()
	w.expectInOrder(w.server.Records(), items, each)
	w.put("artist=never song=s n=0")
	w.enable("")
	w.put("artist=again song=s n=0")
	w.expectInOrder(w.server.Wait(t, items*each+1)[items*each:], 1, 1)
	if list := w.manager.Destinations(w.table()); len(list) != 1 || list[0].Status != table.Active {
		t.Errorf("there are %+v", list)
	}
	w.disable()
	if list := w.manager.Destinations(w.table()); len(list) != 1 || list[0].Status != table.Disabled {
		t.Errorf("there are %+v", list)
	}
	w.skipped += disabledFor
	if list := w.manager.Destinations(w.table()); len(list) != 0 {
		t.Errorf("later there are %+v", list)
	}
	dbtest.CheckAudit(t, w.engine, w.catalog)
}

// TestPastDestinationsAreForgotten: a table whose stream is another one every day does not grow.
func TestPastDestinationsAreForgotten(t *testing.T) {
	w := newWorld(t)
	for n := range 4 {
		arn := fmt.Sprint(stream, n)
		w.server.Set(arn, "ACTIVE")
		if _, err := w.manager.Enable(t.Context(), music, arn, ""); err != nil {
			t.Fatal(err)
		}
		w.await(table.Active)
		if _, err := w.manager.Disable(t.Context(), music, arn); err != nil {
			t.Fatal(err)
		}
		w.await(table.Disabled)
		w.skipped += disabledFor / 2
	}
	if list := w.table().Destinations; len(list) != 2 || list[0].Stream != stream+"2" {
		t.Errorf("the definition holds %+v", list)
	}
}

// TestDisableWhileDown comes to an end although nothing is taken, also with a restart in between.
func TestDisableWhileDown(t *testing.T) {
	w := newWorld(t)
	w.enable("")
	w.server.Cause(kinesistest.Trouble{Request: func(int) (int, string) { return 503, "ServiceUnavailable" }})
	w.put("artist=a song=s n=0")
	if _, err := w.manager.Disable(t.Context(), music, stream); err != nil {
		t.Fatal(err)
	}
	if x := w.table().Destination(); x == nil || x.Status != table.Disabling {
		t.Errorf("it is %+v", x)
	}
	w.jobs.Close()
	w.skipped += drainWithin
	w.start()
	w.await(table.Disabled)
}

// TestDeletedWhileDisabling: a table that is deleted just when its destination would be DISABLED is followed no more either.
func TestDeletedWhileDisabling(t *testing.T) {
	w := newWorld(t)
	var once sync.Once
	w.manager.Now = func() time.Time {
		if d := w.table(); d != nil && d.Destination() != nil && d.Destination().Status == table.Disabling {
			once.Do(func() {
				dbtest.Change(t, w.catalog, music, func(old *table.Definition) *table.Definition {
					next := old.Clone()
					next.Retire(w.now())
					return next
				})
			})
		}
		return w.now()
	}
	w.enable("")
	if _, err := w.manager.Disable(t.Context(), music, stream); err != nil {
		t.Fatal(err)
	}
	w.until("nobody follows the deleted table", func() bool {
		gone := w.catalog.Retired(func(n table.Name) bool { return n == music })
		return len(gone) == 1 && len(gone[0].Followers) == 0
	})
	dbtest.CheckAudit(t, w.engine, w.catalog)
}

// TestDelay makes the states visible.
func TestDelay(t *testing.T) {
	w := newWorld(t)
	w.config.Delay = time.Hour
	w.start()
	move := func(change func() error, in, then table.Status) {
		t.Helper()
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if x := w.table().Destination(); x == nil || x.Status != in {
			t.Errorf("it is %+v, want it %s", x, in)
		}
		w.jobs.Close()
		w.skipped += time.Hour
		w.start()
		w.await(then)
	}
	ctx := t.Context()
	move(func() error { _, err := w.manager.Enable(ctx, music, stream, Microsecond); return err }, table.Enabling, table.Active)
	move(func() error { _, err := w.manager.Update(ctx, music, stream, Millisecond); return err }, table.Updating, table.Active)
	move(func() error { _, err := w.manager.Disable(ctx, music, stream); return err }, table.Disabling, table.Disabled)
}

func TestEndpoints(t *testing.T) {
	for url, ok := range map[string]bool{
		"":                       true,
		"http://127.0.0.1:4566":  true,
		"https://h/path":         true,
		"https://k.{region}.com": true,
		"ftp://h":                false,
		"127.0.0.1:4566":         false,
		"http://":                false,
		"http://h/?a=b":          false,
	} {
		_, err := New(Config{Endpoint: Endpoint{URL: url, AccessKey: "a", Secret: "b"}, Logger: slog.New(slog.DiscardHandler)})
		if (err == nil) != ok {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := New(Config{Endpoint: Endpoint{URL: "http://h"}}); err == nil {
		t.Error("an endpoint without credentials is taken")
	}
}

type otherTransport struct{ http.RoundTripper }

// TestOtherDefaultTransport: a program may have replaced that of its process.
func TestOtherDefaultTransport(t *testing.T) {
	was := http.DefaultTransport
	defer func() { http.DefaultTransport = was }()
	http.DefaultTransport = otherTransport{was}
	m, err := New(Config{Endpoint: Endpoint{URL: "http://h", AccessKey: "a", Secret: "b"}})
	if err != nil || m.client.http.Transport != http.DefaultTransport {
		t.Errorf("%v", err)
	}
}

// TestCloseLeavesNoConnections: those that are kept for later requests are closed too.
func TestCloseLeavesNoConnections(t *testing.T) {
	w := newWorld(t)
	transport := &http.Transport{}
	open := atomic.Int64{}
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		open.Add(1)
		return countedConn{conn, &open}, err
	}
	w.config.Endpoint.Transport = transport
	w.start()
	w.enable("")
	w.put("artist=a song=s n=0")
	w.server.Wait(t, 1)
	w.jobs.Close()
	w.manager.Close()
	w.until("no connection is left", func() bool { return open.Load() == 0 })
}

type countedConn struct {
	net.Conn
	open *atomic.Int64
}

func (c countedConn) Close() error {
	c.open.Add(-1)
	return c.Conn.Close()
}
