package gramme_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme"
	"github.com/grammedb/gramme/internal/flow/kinesis/kinesistest"
)

// TestKinesisAcrossProcesses: what one process could not deliver a later one does, and a process without an endpoint keeps it.
func TestKinesisAcrossProcesses(t *testing.T) {
	const arn = "arn:aws:kinesis:us-east-1:000000000000:stream/changes"
	streams := kinesistest.New(arn)
	dir := filepath.Join(t.TempDir(), "data")
	with := gramme.KinesisEndpoint{URL: streams.Listen(t), AccessKey: kinesistest.AccessKey, Secret: kinesistest.Secret}
	process := func(endpoint gramme.KinesisEndpoint, f func(c caller)) {
		t.Helper()
		db := open(t, gramme.Config{Dir: dir, Kinesis: endpoint})
		f(caller{db.Handler(), "us-east-1"})
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	put := func(c caller, id string) {
		c.mustCall(t, "PutItem", `{"TableName":"tea","Item":{"id":{"S":"`+id+`"}}}`)
	}
	enable := `{"TableName":"tea","StreamArn":"` + arn + `"}`
	process(gramme.KinesisEndpoint{}, func(c caller) {
		c.mustCall(t, "CreateTable", createTable)
		status, answer := c.call("EnableKinesisStreamingDestination", enable)
		if want := `"message":"This server delivers to no Kinesis data stream: it was started without a Kinesis endpoint. Give it one with --kinesis-endpoint"`; status != 400 || !strings.Contains(answer, want) {
			t.Errorf("%d %s", status, answer)
		}
	})
	process(with, func(c caller) {
		c.mustCall(t, "EnableKinesisStreamingDestination", enable)
		awaitMetric(t, c, "oldest_undelivered_age_seconds", "0")
		put(c, "one")
		streams.Wait(t, 1)
		awaitMetric(t, c, "records_delivered_total", "1")
		streams.Cause(kinesistest.Trouble{Record: func(*kinesistest.Record) string { return "ProvisionedThroughputExceededException" }})
		put(c, "two")
	})
	process(gramme.KinesisEndpoint{}, func(c caller) { put(c, "three") })
	streams.Cause(kinesistest.Trouble{})
	process(with, func(c caller) {
		list := streams.Wait(t, 3)
		for _, id := range []string{"one", "two", "three"} {
			n := 0
			for _, r := range list {
				n += strings.Count(string(r.Data), `"Keys":{"id":{"S":"`+id+`"}}`)
			}
			if n != 1 {
				t.Errorf("%s was delivered %d times", id, n)
			}
		}
	})
}

// awaitMetric waits until a metric of the table's delivery has a value.
func awaitMetric(t *testing.T, c caller, name, value string) {
	t.Helper()
	line := "\ngramme_kinesis_" + name + `{region="us-east-1",table="tea"} ` + value + "\n"
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/_gramme/metrics", nil))
		if strings.Contains(w.Body.String(), line) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no%s in\n%s", line, w.Body)
		}
	}
}

func TestKinesisEndpointRefused(t *testing.T) {
	db, err := gramme.Open(t.Context(), gramme.Config{Memory: true, Kinesis: gramme.KinesisEndpoint{URL: "ftp://h"}})
	if err == nil || !strings.Contains(err.Error(), "kinesis: endpoint") {
		t.Errorf("Open returned %v, %v", db, err)
	}
}
