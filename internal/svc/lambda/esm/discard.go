package esm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
)

// Why records are given up.
const (
	conditionRetries = "RetryAttemptsExhausted"
	conditionAge     = "RecordAgeExceeded"
)

// A failureDocument says what was given up, in the form that destinations get. The records are still in the stream.
type failureDocument struct {
	RequestContext struct {
		RequestID   string `json:"requestId"`
		FunctionARN string `json:"functionArn"`
		Condition   string `json:"condition"`
		Calls       int    `json:"approximateInvokeCount"`
	} `json:"requestContext"`
	ResponseContext struct {
		StatusCode      int    `json:"statusCode"`
		ExecutedVersion string `json:"executedVersion"`
		FunctionError   string `json:"functionError"`
	} `json:"responseContext"`
	Version   string    `json:"version"`
	Timestamp string    `json:"timestamp"`
	Batch     batchInfo `json:"DDBStreamBatchInfo"`
}

type batchInfo struct {
	Shard  string `json:"shardId"`
	Start  string `json:"startSequenceNumber"`
	End    string `json:"endSequenceNumber"`
	First  string `json:"approximateArrivalOfFirstRecord"`
	Last   string `json:"approximateArrivalOfLastRecord"`
	Size   int    `json:"batchSize"`
	Stream string `json:"streamArn"`
}

// discard gives up the records of a batch: it tells the destination, and goes on behind them.
func (w *worker) discard(ctx context.Context, b *batch, condition string) error {
	w.p.cfg.Log.Warn("records are given up", "function", w.p.cfg.FunctionARN, "shard", w.at.Shard, "records", len(b.records), "condition", condition)
	if w.p.cfg.Destination != "" && len(b.records) > 0 {
		if err := deliver(ctx, w.p.cfg.Destination, w.document(b, condition)); err != nil {
			if ctx.Err() != nil {
				return err
			}
			w.p.cfg.Log.Error("the destination of failures does not take a document", "destination", w.p.cfg.Destination, "error", err)
		}
	}
	after := w.at.After
	if n := len(b.records); n > 0 {
		after = b.records[n-1].Sequence
	}
	return w.save(ctx, after)
}

func (w *worker) document(b *batch, condition string) []byte {
	var d failureDocument
	first, last := &b.records[0], &b.records[len(b.records)-1]
	d.RequestContext.RequestID = uuid.NewString()
	d.RequestContext.FunctionARN = w.p.cfg.FunctionARN
	d.RequestContext.Condition = condition
	d.RequestContext.Calls = b.calls
	d.ResponseContext.StatusCode = 200
	d.ResponseContext.ExecutedVersion = "$LATEST"
	if b.calls > 0 {
		d.ResponseContext.FunctionError = "Unhandled"
	}
	d.Version = "1.0"
	d.Timestamp = w.p.cfg.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	d.Batch = batchInfo{
		Shard: w.at.Shard, Start: first.Sequence, End: last.Sequence, Size: len(b.records), Stream: w.p.cfg.StreamARN,
		First: first.Time.UTC().Format(time.RFC3339), Last: last.Time.UTC().Format(time.RFC3339),
	}
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // texts and numbers
	}
	return text
}

// CheckDestination says what is wrong with the URL of a destination.
func CheckDestination(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return fmt.Errorf("%q is no URL", text)
	case u.Scheme == "file" && u.Host == "" && filepath.IsAbs(filepath.FromSlash(u.Path)):
		return nil
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		return nil
	}
	return fmt.Errorf("%q is neither file:///PATH nor an http or https URL", text)
}

const (
	deliveryTries = 4
	deliveryTime  = 10 * time.Second
)

// deliver appends a document to a file, a line each, or posts it.
func deliver(ctx context.Context, destination string, document []byte) error {
	u, err := url.Parse(destination)
	if err != nil {
		return err
	}
	if u.Scheme == "file" {
		return appendLine(filepath.FromSlash(u.Path), document)
	}
	for try := 1; ; try++ {
		if err = post(ctx, destination, document); err == nil || try == deliveryTries {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try) * 100 * time.Millisecond):
		}
	}
}

func appendLine(path string, line []byte) error {
	if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		return fmt.Errorf("%s is a pipe, which may have no reader", path)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

func post(ctx context.Context, destination string, document []byte) error {
	ctx, cancel := context.WithTimeout(ctx, deliveryTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, destination, bytes.NewReader(document))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
