package gramme_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/grammedb/gramme"
)

// TestTimeToLive: expired items go by themselves, and the metrics count them.
func TestTimeToLive(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	db := open(t, gramme.Config{Memory: true, Now: func() time.Time { return now }})
	defer db.Close()
	c := caller{db.Handler(), "eu-west-1"}
	c.mustCall(t, "CreateTable", createTable)
	c.mustCall(t, "UpdateTimeToLive", `{"TableName":"tea","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"until"}}`)
	c.mustCall(t, "PutItem", `{"TableName":"tea","Item":{"id":{"S":"expired"},"until":{"N":"1893455999"}}}`)
	c.mustCall(t, "PutItem", `{"TableName":"tea","Item":{"id":{"S":"not yet"},"until":{"N":"1893456000"}}}`)
	const deleted, lag = `gramme_time_to_live_deleted_items_total{region="eu-west-1",table="tea"} 1`, `gramme_time_to_live_lag_seconds{region="eu-west-1",table="tea"} `
	var metrics string
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(metrics, deleted+"\n"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the metrics lack %s:\n%s", deleted, metrics)
		}
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/_gramme/metrics", nil))
		metrics = w.Body.String()
	}
	if !strings.Contains(metrics, lag) {
		t.Errorf("the metrics lack %s", lag)
	}
	if got := c.mustCall(t, "Scan", `{"TableName":"tea"}`); !strings.Contains(got, `"Count":1`) || !strings.Contains(got, "not yet") {
		t.Error(got)
	}
}
