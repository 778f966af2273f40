package api

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// A Field is a member of an input or output.
type Field struct {
	Index  int    // in the struct
	Name   string // on the wire
	Type   reflect.Type
	At     Location
	Rule         // for the member itself
	Key    *Rule // for the keys of a map; nil: none
	Elem   *Rule // for the elements of a list or a map; nil: none
	Phrase Phrases
}

// A Location is where a member stands in the protocol REST. Name is that of a label, a parameter or a header.
type Location struct {
	Place Place
	Name  string
}

// A Place is a part of a request or an answer.
type Place string

// The places. InBody is among the members of the JSON, Payload the whole body.
const (
	InBody   Place = ""
	InPath   Place = "path"
	InQuery  Place = "query"
	InHeader Place = "header"
	InStatus Place = "status"
	Payload  Place = "payload"
)

// Phrases are sentences that take the place of the usual messages; "" is none.
type Phrases struct{ Absent, Short, Long, Unlisted string }

// A Rule is a set of constraints on a value. The package's comment says what they mean.
type Rule struct {
	Required     bool
	Int64        bool
	Min, Max     *int64
	Enum         []string
	Pattern      *Pattern
	PatternFirst bool
	ARN          bool
	Alone        bool
	ModernMin    bool
	ModernMax    bool
}

// Fields returns the members of a struct type in the order of their checks. It panics if a tag is malformed.
func Fields(t reflect.Type) []Field {
	if fs, ok := fieldsOf.Load(t); ok {
		return fs.([]Field)
	}
	fs := make([]Field, t.NumField())
	for i := range fs {
		f, err := newField(t.Field(i))
		if err != nil {
			panic(fmt.Sprintf("api: %v.%s: %v", t, t.Field(i).Name, err))
		}
		f.Index = i
		fs[i] = f
	}
	got, _ := fieldsOf.LoadOrStore(t, fs)
	return got.([]Field)
}

var fieldsOf sync.Map // reflect.Type -> []Field

func newField(sf reflect.StructField) (Field, error) {
	f := Field{Name: sf.Name, Type: sf.Type}
	if name, ok := sf.Tag.Lookup("wire"); ok {
		f.Name = name
	}
	place, name, _ := strings.Cut(sf.Tag.Get("at"), ":")
	f.At = Location{Place(place), name}
	f.Phrase = Phrases{
		Absent: sf.Tag.Get("absent"), Short: sf.Tag.Get("short"), Long: sf.Tag.Get("long"), Unlisted: sf.Tag.Get("unlisted"),
	}
	if rule, err := parseRule(sf.Tag.Get("aws")); err != nil {
		return Field{}, err
	} else if rule != nil {
		f.Rule = *rule
	}
	var err error
	if f.Key, err = parseRule(sf.Tag.Get("key")); err != nil {
		return Field{}, err
	}
	f.Elem, err = parseRule(sf.Tag.Get("elem"))
	return f, err
}

// parseRule reads the content of a tag; "" gives nil.
func parseRule(text string) (*Rule, error) {
	if text == "" {
		return nil, nil
	}
	r := new(Rule)
	for text != "" {
		var opt string
		if strings.HasPrefix(text, "pattern=") {
			opt, text = text, ""
		} else {
			opt, text, _ = strings.Cut(text, ",")
		}
		if err := r.set(opt); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Rule) set(opt string) (err error) {
	switch key, value, _ := strings.Cut(opt, "="); key {
	case "required":
		r.Required = true
	case "long":
		r.Int64 = true
	case "min":
		r.Min, err = bound(value)
	case "max":
		r.Max, err = bound(value)
	case "enum":
		r.Enum = strings.Split(value, "|")
	case "pattern":
		r.Pattern, err = newPattern(value)
	case "patternfirst":
		r.PatternFirst = true
	case "arn":
		r.ARN = true
	case "alone":
		r.Alone = true
	case "modern":
		r.ModernMin, r.ModernMax = value == "min", value == "max"
	default:
		err = fmt.Errorf("unknown option %q", opt)
	}
	return err
}

func bound(text string) (*int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	return &n, err
}
