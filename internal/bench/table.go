package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/grammedb/gramme/internal/bench/client"
	"github.com/grammedb/gramme/internal/bench/workload"
)

// A table is the one that a run works on. A marker, an item in it, says that it was made for this and what it was loaded with:
// only such a table is removed, and one that was kept need not be loaded again.
type table struct {
	run    *run
	conn   func() *client.Conn
	mine   bool // to be removed
	server string
}

// A serviceError is an answer that is none of success.
type serviceError struct{ operation, code, body string }

func (e *serviceError) Error() string { return fmt.Sprintf("%s: %s: %s", e.operation, e.code, e.body) }

// call makes one request on a connection of its own, again and again if the failure may pass.
func (t *table) call(ctx context.Context, operation, body string, into any) error {
	conn := t.conn()
	defer conn.Close()
	for attempt := 0; ; attempt++ {
		var resp client.Response
		_, err := conn.Do(ctx, operation, []byte(body), &resp)
		again := false
		if err == nil && resp.Status != 200 {
			again = resp.Retryable()
			err = &serviceError{operation, resp.Code(), brief(resp.Body)}
		}
		if err == nil {
			t.server = resp.Header("server")
			return json.Unmarshal(resp.Body, into)
		}
		if !again || attempt >= t.run.cfg.Retries {
			return err
		}
		if !pause(ctx, firstBackoff<<min(attempt, 6)) {
			return context.Cause(ctx)
		}
	}
}

// pause waits. false: ctx ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

func hasCode(err error, code string) bool {
	e, ok := errors.AsType[*serviceError](err)
	return ok && e.code == code
}

// open finds or makes the table, and returns once it can be used. loaded: it has its items already.
func (t *table) open(ctx context.Context) (loaded bool, err error) {
	d, err := t.describe(ctx)
	if hasCode(err, "ResourceNotFoundException") {
		if t.run.cfg.Existing {
			return false, fmt.Errorf("there is no table %s", t.run.cfg.Table)
		}
		return false, t.create(ctx)
	}
	if err != nil {
		return false, err
	}
	if err := d.fits(t.run.cfg.Table, t.run.mix.Indexed()); err != nil {
		return false, err
	}
	if t.run.cfg.Existing {
		return false, nil
	}
	layout, state, err := t.readMarker(ctx)
	if err != nil {
		return false, err
	}
	if layout == "" {
		return false, fmt.Errorf("table %s exists and was not made by gramme bench: choose another name, or say --existing to write into it", t.run.cfg.Table)
	}
	if layout != t.layout() {
		return false, fmt.Errorf("table %s was made for %s, this run is for %s: choose another name", t.run.cfg.Table, layout, t.layout())
	}
	t.mine = !t.run.cfg.Keep
	return state == stateLoaded, nil
}

// create makes the table and its marker.
func (t *table) create(ctx context.Context) error {
	billing, err := billingOf(t.run.cfg.Provisioned)
	if err != nil {
		return err
	}
	attributes := `{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}`
	index := ""
	if t.run.mix.Indexed() {
		attributes += `,{"AttributeName":"experiment_id","AttributeType":"S"},{"AttributeName":"created_at","AttributeType":"S"}`
		index = `,"GlobalSecondaryIndexes":[{"IndexName":"` + workload.IndexName + `","KeySchema":[{"AttributeName":"experiment_id","KeyType":"HASH"},` +
			`{"AttributeName":"created_at","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}` + billing.throughput + `}]`
	}
	err = t.call(ctx, "CreateTable", t.named(billing.mode+billing.throughput+`,"AttributeDefinitions":[`+attributes+
		`],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]`+index), new(struct{}))
	if err != nil {
		return err
	}
	t.mine = !t.run.cfg.Keep
	if err := t.wait(ctx); err != nil {
		return err
	}
	return t.mark(ctx, stateLoading)
}

// named returns a body with the table's name and more members.
func (t *table) named(members string) string {
	return fmt.Sprintf(`{"TableName":%q%s}`, t.run.cfg.Table, members)
}

// A billing is members of CreateTable, each with its comma.
type billing struct{ mode, throughput string }

// billingOf reads "READ,WRITE".
func billingOf(text string) (billing, error) {
	if text == "" {
		return billing{mode: `,"BillingMode":"PAY_PER_REQUEST"`}, nil
	}
	var read, write int
	if _, err := fmt.Sscanf(text, "%d,%d", &read, &write); err != nil || read < 1 || write < 1 {
		return billing{}, fmt.Errorf("provisioned capacity is written READ,WRITE, not %q", text)
	}
	return billing{`,"BillingMode":"PROVISIONED"`, fmt.Sprintf(`,"ProvisionedThroughput":{"ReadCapacityUnits":%d,"WriteCapacityUnits":%d}`, read, write)}, nil
}

// A description is what DescribeTable tells that matters here.
type description struct {
	TableStatus            string
	KeySchema              []struct{ AttributeName, KeyType string }
	AttributeDefinitions   []struct{ AttributeName, AttributeType string }
	GlobalSecondaryIndexes []struct{ IndexName, IndexStatus string }
}

func (t *table) describe(ctx context.Context) (*description, error) {
	var out struct{ Table description }
	err := t.call(ctx, "DescribeTable", t.named(""), &out)
	return &out.Table, err
}

// active reports whether the table and its indexes are.
func (d *description) active() bool {
	for _, i := range d.GlobalSecondaryIndexes {
		if i.IndexStatus != "ACTIVE" {
			return false
		}
	}
	return d.TableStatus == "ACTIVE"
}

// fits returns why the table cannot be used.
func (d *description) fits(name string, indexed bool) error {
	var keys []string
	for _, k := range d.KeySchema {
		for _, a := range d.AttributeDefinitions {
			if a.AttributeName == k.AttributeName {
				keys = append(keys, k.AttributeName+" "+a.AttributeType)
			}
		}
	}
	if got := strings.Join(keys, ", "); got != "pk S, sk N" {
		return fmt.Errorf("table %s has the key %s, want pk S, sk N", name, got)
	}
	if indexed {
		for _, i := range d.GlobalSecondaryIndexes {
			if i.IndexName == workload.IndexName {
				return nil
			}
		}
		return fmt.Errorf("table %s has no index %s", name, workload.IndexName)
	}
	return nil
}

// wait returns when the table is active.
func (t *table) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, activeTimeout, fmt.Errorf("table %s is not ACTIVE after %v", t.run.cfg.Table, activeTimeout))
	defer cancel()
	for between := 20 * time.Millisecond; ; between = min(2*between, 2*time.Second) {
		d, err := t.describe(ctx)
		if err == nil && d.active() {
			return nil
		}
		if err != nil && !hasCode(err, "ResourceNotFoundException") { // DescribeTable is eventually consistent
			return err
		}
		if !pause(ctx, between) {
			return context.Cause(ctx)
		}
	}
}

const activeTimeout = 5 * time.Minute

// The marker.
const (
	markerKey    = `"pk":{"S":"gramme-bench"},"sk":{"N":"0"}`
	stateLoading = "loading"
	stateLoaded  = "loaded"
)

// layout says what the table is loaded with, for people too.
func (t *table) layout() string {
	c := &t.run.cfg
	return fmt.Sprintf("%d items of %s bytes of %s, %d in a partition", c.Items, c.Size, c.values(), c.PerPartition)
}

func (t *table) mark(ctx context.Context, state string) error {
	return t.call(ctx, "PutItem", t.named(fmt.Sprintf(`,"Item":{%s,"layout":{"S":%q},"state":{"S":%q}}`, markerKey, t.layout(), state)), new(struct{}))
}

// markLoaded says in the marker that all items are there.
func (t *table) markLoaded(ctx context.Context) error {
	if t.run.cfg.Existing {
		return nil
	}
	return t.mark(ctx, stateLoaded)
}

// readMarker returns "" if there is none.
func (t *table) readMarker(ctx context.Context) (layout, state string, err error) {
	var out struct {
		Item struct{ Layout, State struct{ S string } }
	}
	err = t.call(ctx, "GetItem", t.named(`,"Key":{`+markerKey+`},"ConsistentRead":true`), &out)
	return out.Item.Layout.S, out.Item.State.S, err
}

// drop removes the table if it is to be removed.
func (t *table) drop(ctx context.Context) error {
	if !t.mine {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := t.call(ctx, "DeleteTable", t.named(""), new(struct{})); err != nil {
		return fmt.Errorf("table %s is left behind: %w", t.run.cfg.Table, err)
	}
	return nil
}
