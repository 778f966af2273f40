// Package traffic sends requests over several connections: as a task for each of them, or at a steady rate.
package traffic

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/grammedb/gramme/internal/bench/client"
)

// A Client calls a server over a number of connections.
type Client struct {
	Endpoint    client.Endpoint
	Credentials client.Credentials
	Conns       int
}

// Conn returns a connection of its own.
func (c Client) Conn() *client.Conn {
	return client.NewConn(c.Endpoint, c.Credentials, "gramme-bench", 30*time.Second)
}

// Call sends one request and returns the body of the answer.
func (c Client) Call(ctx context.Context, operation, body string) ([]byte, error) {
	conn := c.Conn()
	defer conn.Close()
	return Call(ctx, conn, operation, []byte(body))
}

// Call sends a request and returns the body of the answer, which is valid until the next one.
func Call(ctx context.Context, conn *client.Conn, operation string, body []byte) ([]byte, error) {
	var r client.Response
	if _, err := conn.Do(ctx, operation, body, &r); err != nil {
		return nil, err
	}
	if r.Status != http.StatusOK {
		return nil, fmt.Errorf("%s: %d %s", operation, r.Status, r.Body)
	}
	return r.Body, nil
}

// Each does something with each connection, numbered from 0, at the same time.
func (c Client) Each(do func(i int, conn *client.Conn) error) error {
	var wg sync.WaitGroup
	errs := make([]error, c.Conns)
	for i := range c.Conns {
		wg.Go(func() {
			conn := c.Conn()
			defer conn.Close()
			errs[i] = do(i, conn)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// A Request is what is sent again and again. Body appends the body of the next one of a connection, whose number it is given.
type Request struct {
	Operation string
	Body      func(conn int, b []byte) []byte
}

// Closed sends the next request of a connection when the last one is answered, until ctx ends.
func (c Client) Closed(ctx context.Context, req Request) (Latencies, error) {
	parts := make([]Latencies, c.Conns)
	err := c.Each(func(i int, conn *client.Conn) error {
		parts[i] = Latencies{}
		var body []byte
		for ctx.Err() == nil {
			begin := time.Now()
			body = req.Body(i, body[:0])
			if _, err := Call(context.WithoutCancel(ctx), conn, req.Operation, body); err != nil {
				return err
			}
			parts[i].add(begin, time.Since(begin))
		}
		return nil
	})
	all := Latencies{}
	for _, l := range parts {
		all.Merge(l)
	}
	return all, err
}
