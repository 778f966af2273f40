package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/grammedb/gramme/internal/bench/client"
	"github.com/grammedb/gramme/internal/bench/workload"
)

// call makes one request outside of the measured loop.
func call(cfg *config, operation, body string) (status int, answer []byte, err error) {
	c := client.NewConn(cfg.endpoint, cfg.cred, "loadgen", 30*time.Second)
	defer c.Close()
	var r client.Response
	_, err = c.Do(context.Background(), operation, []byte(body), &r)
	return r.Status, r.Body, err
}

// prepare creates and loads the tables.
func prepare(cfg *config, reset bool) error {
	type tableSpec struct {
		name  string
		items uint64
		gsi   bool
	}
	specs := []tableSpec{{cfg.work.Table, cfg.work.Items, false}}
	if cfg.work.IndexItems > 0 {
		specs = append(specs, tableSpec{cfg.work.IndexTable, cfg.work.IndexItems, true})
	}
	for _, t := range specs {
		if reset {
			if _, _, err := call(cfg, "DeleteTable", `{"TableName":"`+t.name+`"}`); err != nil {
				return err
			}
		}
		if err := createTable(cfg, t.name, t.gsi); err != nil {
			return err
		}
		load := *cfg
		load.mix = workload.MixOf(loadOperation(cfg.work, t.name, t.items))
		load.threads, load.conns = 1, min(cfg.conns, 16)
		load.pool, load.check = 0, true
		load.warmup, load.dur = 0, 9*time.Minute
		load.requestLimit = (t.items + workload.BatchWriteItems - 1) / workload.BatchWriteItems
		begin := time.Now()
		rep, err := runLoad(&load)
		if err != nil {
			return err
		}
		if rep.Errors > 0 {
			return fmt.Errorf("loading %s: %d errors: %v %s", t.name, rep.Errors, rep.ErrorKinds, rep.Sample)
		}
		secs := time.Since(begin).Seconds()
		fmt.Printf("loaded %d items into %s in %.2f s (%.0f items/s); server RSS %.0f MiB\n", t.items, t.name, secs, float64(t.items)/secs, rep.RSSMiB)
	}
	return nil
}

// loadOperation is the load that prepare runs: batches with consecutive items.
func loadOperation(work *workload.Config, table string, items uint64) *workload.Operation {
	var loaded uint64
	return &workload.Operation{Name: "load", Target: "BatchWriteItem", Dynamic: true,
		Body: func(_ *workload.Generator, _ *workload.Cursor, b []byte) []byte {
			from := loaded
			loaded = min(items, loaded+workload.BatchWriteItems)
			return work.AppendLoad(b, table, from, loaded)
		},
		Answered: func(*workload.Cursor, []byte) uint64 { return workload.BatchWriteItems },
	}
}

func createTable(cfg *config, name string, gsi bool) error {
	attrs := `{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}`
	index := ""
	if gsi {
		attrs += `,{"AttributeName":"experiment_id","AttributeType":"S"},{"AttributeName":"created_at","AttributeType":"S"}`
		index = `,"GlobalSecondaryIndexes":[{"IndexName":"` + workload.IndexName + `","KeySchema":[{"AttributeName":"experiment_id","KeyType":"HASH"},{"AttributeName":"created_at","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}]`
	}
	status, body, err := call(cfg, "CreateTable", `{"TableName":"`+name+`","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[`+attrs+`],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]`+index+`}`)
	if err != nil {
		return err
	}
	if status != http.StatusOK && !bytes.Contains(body, []byte("ResourceInUseException")) {
		return fmt.Errorf("CreateTable %s: %d %s", name, status, body)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		_, body, err := call(cfg, "DescribeTable", `{"TableName":"`+name+`"}`)
		if err != nil {
			return err
		}
		if contains(body, `"TableStatus":"ACTIVE"`) && !bytes.Contains(body, []byte("CREATING")) {
			return nil
		}
	}
	return fmt.Errorf("table %s is not ACTIVE after 20 s", name)
}
