package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A tag is a struct tag in the making; package api documents the form.
type tag struct {
	opts string // content of aws:"..."
	more string // further keys, each with a space in front
}

func (t tag) String() string {
	s := t.more
	if t.opts != "" {
		s = sentence("aws", t.opts) + s
	}
	if s == "" {
		return ""
	}
	return "`" + strings.TrimSpace(s) + "`"
}

func sentence(key, text string) string { return " " + key + ":" + strconv.Quote(text) }

// memberTag returns the tag of a member of a structure that is part of an input.
func (g *generator) memberTag(owner, name string, r ref) tag {
	s, o := g.Shapes[r.Shape], members[owner+"."+name]
	required := slices.Contains(g.Shapes[owner].Required, name)
	if name == first && r.Shape == "TableArn" {
		return tableNameTag(owner, required)
	}
	if o.free {
		return tag{}
	}
	t := tag{opts: g.constraints(r.Shape, o.set, required), more: o.more}
	switch s.Type {
	case "list":
		if e := g.constraints(s.Member.Shape, "", false); e != "" && !o.elemFree {
			t.more += sentence("elem", e)
		}
	case "map":
		key := g.constraints(s.Key.Shape, "", false)
		if o.key != "" {
			key = o.key
		}
		if key != "" && !isItem(g.Shapes, s) {
			t.more += sentence("key", key)
		}
		if e := g.constraints(s.Value.Shape, "", false); e != "" {
			t.more += sentence("elem", e)
		}
	}
	return t
}

// location returns the tag that says where a member stands in a REST protocol.
func (g *generator) location(owner string, m named[ref]) string {
	switch {
	case !g.isREST():
		return ""
	case m.Name == g.Shapes[owner].Payload:
		return sentence("at", "payload")
	case m.Value.Location == "":
		return ""
	case m.Value.Location == "statusCode":
		return sentence("at", "status")
	}
	place := map[string]string{"uri": "path", "querystring": "query", "header": "header"}[m.Value.Location]
	return sentence("at", place+":"+m.Value.LocationName)
}

func tableNameTag(owner string, required bool) tag {
	t := controlPlaneName
	if dataPlane[owner] {
		t = dataPlaneName
	}
	if required {
		t.opts = "required," + t.opts
	} else {
		t.more = ""
	}
	return t
}

// constraints returns the options for a shape, of which those in set replace or join the model's.
func (g *generator) constraints(name, set string, required bool) string {
	s := g.Shapes[name]
	opts := options{}
	if required {
		opts["required"] = ""
	}
	if s.Type == "long" {
		opts["long"] = ""
	}
	if s.Min != nil && (*s.Min > 0 || s.Type == "integer" || s.Type == "long") {
		opts["min"] = fmt.Sprint(*s.Min)
	}
	if s.Max != nil {
		opts["max"] = fmt.Sprint(*s.Max)
	}
	if len(s.Enum) > 0 {
		opts["enum"] = g.enum(name)
	}
	if s.Pattern != "" {
		opts["pattern"] = s.Pattern
	}
	if set != "" {
		for opt := range strings.SplitSeq(set, ",") {
			key, value, _ := strings.Cut(opt, "=")
			opts[key] = value
		}
	}
	return opts.String()
}

// options are the content of a tag.
type options map[string]string

func (o options) String() string {
	var parts []string
	for _, key := range []string{"required", "long", "min", "max", "modern", "patternfirst", "enum", "pattern"} {
		switch value, ok := o[key]; {
		case ok && value != "":
			parts = append(parts, key+"="+value)
		case ok:
			parts = append(parts, key)
		}
	}
	return strings.Join(parts, ",")
}

func (g *generator) enum(name string) string {
	if old, ok := oldEnums[name]; ok {
		return old
	}
	return strings.Join(g.Shapes[name].Enum, "|")
}
