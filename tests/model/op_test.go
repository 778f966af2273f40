package model

import (
	"encoding/json"
	"time"
)

// An Attr is a key attribute.
type Attr struct{ Name, T string }

// A Schema is what a table is made of.
type Schema struct {
	Part    Attr
	Sort    *Attr   `json:",omitempty"`
	Indexes []Index `json:",omitempty"`
}

// An Index is a secondary index.
type Index struct {
	Name   string
	Local  bool `json:",omitempty"`
	Part   []Attr
	Sort   []Attr `json:",omitempty"`
	Proj   string
	NonKey []string `json:",omitempty"`
}

// An Op is one operation. Which members count depends on Kind; an Op says everything about itself, so that any part of a list of
// them can be run again.
type Op struct {
	Kind  string
	Table string `json:",omitempty"`

	Schema   *Schema `json:",omitempty"` // create
	NewIndex *Index  `json:",omitempty"` // addindex
	Index    string  `json:",omitempty"` // dropindex, query, scan

	// put, update, delete, get, check
	Item      Item     `json:",omitempty"` // the item of a put, else the key
	Cond      *Cond    `json:",omitempty"`
	Update    []Action `json:",omitempty"`
	Returns   string   `json:",omitempty"` // ReturnValues
	OnFailure bool     `json:",omitempty"` // the old item if the condition is false

	Ops   []Op   `json:",omitempty"` // batchwrite, batchget, transact, transactget
	Token string `json:",omitempty"` // transact

	// query and scan; Project of get too
	Keys       []KeyCond `json:",omitempty"`
	Filter     *Cond     `json:",omitempty"`
	Project    []string  `json:",omitempty"`
	Select     string    `json:",omitempty"`
	Limit      int       `json:",omitempty"`
	Pages      int       `json:",omitempty"` // how many pages are read at most
	Reverse    bool      `json:",omitempty"`
	Consistent bool      `json:",omitempty"`
	Start      Item      `json:",omitempty"`
	Segment    int       `json:",omitempty"`
	Total      int       `json:",omitempty"`

	Units bool `json:",omitempty"` // ReturnConsumedCapacity

	View    string        `json:",omitempty"` // stream: the view type to enable, or ""
	Attr    string        `json:",omitempty"` // ttl: the attribute
	Enable  bool          `json:",omitempty"` // ttl
	Step    time.Duration `json:",omitempty"` // clock, tend
	Percent int           `json:",omitempty"` // crash: how much of what was not synced is kept
}

// A KeyCond is one part of a key condition: = < <= > >= between begins.
type KeyCond struct {
	Name, Op string
	Vals     []Value
}

func (op *Op) String() string {
	text, err := json.Marshal(op)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// An answer is what an operation answers, in a form to compare. Items are JSON, "" for none.
type answer struct {
	Code    string              // of the error
	Reasons []string            // of a cancelled transaction: code and item
	Item    string              // Item, Attributes, or the item of a false condition
	Items   []string            // of a transactget
	Tables  map[string][]string // of a batchget
	Pages   []page              // of a query or scan
	Units   map[string]units    // by table
	Sizes   map[string][2]int64 // of a describe: items and bytes of the table, "", and of its indexes
	Records []string            // of a records: what each stream of the name has shown
}

type page struct {
	Items          []string
	Count, Scanned int
	Last           string
	Units          units
}

// units are consumed capacity units: those of the table, "", and of indexes.
type units map[string]float64

func (u units) add(name string, n float64) {
	if n != 0 {
		u[name] += n
	}
}
