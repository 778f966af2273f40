package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
)

// A model is the part of a botocore service model that shapes are made from.
type model struct {
	Metadata struct {
		Protocol string `json:"protocol"`
	} `json:"metadata"`
	Operations ordered[operation] `json:"operations"`
	Shapes     map[string]*shape  `json:"shapes"`
}

// keep drops the operations that are not among names; nil is all.
func (m *model) keep(names []string) {
	m.Operations = slices.DeleteFunc(m.Operations, func(op named[operation]) bool {
		return names != nil && !slices.Contains(names, op.Name)
	})
}

// isREST reports whether operations have paths and methods of their own.
func (m *model) isREST() bool { return m.Metadata.Protocol == "rest-json" }

type operation struct {
	Input  *ref `json:"input"`
	Output *ref `json:"output"`
	HTTP   struct {
		Method string `json:"method"`
		URI    string `json:"requestUri"`
		Status int    `json:"responseCode"`
	} `json:"http"`
}

type ref struct {
	Shape        string `json:"shape"`
	Location     string `json:"location"`
	LocationName string `json:"locationName"`
}

type shape struct {
	Type      string       `json:"type"`
	Payload   string       `json:"payload"` // the member that is the whole body
	Members   ordered[ref] `json:"members"`
	Required  []string     `json:"required"`
	Member    *ref         `json:"member"` // of a list
	Key       *ref         `json:"key"`    // of a map
	Value     *ref         `json:"value"`  // of a map
	Min       *limit       `json:"min"`
	Max       *limit       `json:"max"`
	Pattern   string       `json:"pattern"`
	Enum      []string     `json:"enum"`
	Exception bool         `json:"exception"`
}

// A limit is a bound of a value or a length. Some models write whole numbers with a point.
type limit int64

// UnmarshalJSON implements json.Unmarshaler.
func (l *limit) UnmarshalJSON(b []byte) error {
	x, err := strconv.ParseFloat(string(b), 64)
	*l = limit(x)
	return err
}

// An ordered is a JSON object whose members keep their order.
type ordered[T any] []named[T]

type named[T any] struct {
	Name  string
	Value T
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *ordered[T]) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var v T
		if err := dec.Decode(&v); err != nil {
			return err
		}
		*o = append(*o, named[T]{name.(string), v})
	}
	return nil
}

// readModel reads a gzipped service-2.json.
func readModel(path string) (*model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var m model
	if err := json.NewDecoder(z).Decode(&m); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &m, nil
}
