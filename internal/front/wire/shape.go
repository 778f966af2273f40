package wire

import (
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// A kind is how a Go type stands for a shape of the model.
type kind uint8

const (
	text kind = iota
	integer
	double
	boolean
	timestamp
	structure
	list
	dict      // map[string]X
	item      // attr.Item
	items     // []attr.Item
	value     // attr.Value
	sentItem  // attr.SentItem
	sentValue // attr.SentValue
	blob      // []byte, in JSON as base64
)

// A shape is what is known of a Go type before a value is met.
type shape struct {
	kind    kind
	pointer bool         // the Go type is a pointer to goType
	inField bool         // it is a member of a structure, not of a list or map
	goType  reflect.Type // without the pointer
	class   string       // what messages call it: a class of Java
	enum    []string     // of a text: values that need not be copied
	elem    *shape       // of a list or dict
	fields  *fields      // of a structure
}

// fields are the members of a struct type.
type fields struct {
	list    []field // those of the JSON
	byName  map[string]*field
	located []located // the others, in the protocol REST
}

type field struct {
	shape
	index int
	key   string // `"Name":`
}

var structs sync.Map // reflect.Type -> *fields

// structOf returns the members of a struct type, which are found out once. It panics for a type that is no shape.
func structOf(t reflect.Type) *fields {
	if fs, ok := structs.Load(t); ok {
		return fs.(*fields)
	}
	members := api.Fields(t)
	fs := &fields{list: make([]field, 0, len(members)), byName: make(map[string]*field, len(members))}
	for _, m := range members {
		f := field{shape: shapeOf(m.Type, true), index: m.Index, key: `"` + m.Name + `":`}
		f.enum = m.Enum
		if m.Int64 {
			f.class = long
		}
		if m.At.Place != api.InBody {
			fs.located = append(fs.located, located{f, m.At})
			continue
		}
		fs.list = append(fs.list, f)
		fs.byName[m.Name] = &fs.list[len(fs.list)-1]
	}
	got, _ := structs.LoadOrStore(t, fs)
	return got.(*fields)
}

// shapeOf finds out what a type stands for.
func shapeOf(t reflect.Type, inField bool) shape {
	s := shape{goType: t, inField: inField}
	if t.Kind() == reflect.Pointer {
		s.pointer, s.goType = true, t.Elem()
	}
	if known, ok := scalars[s.goType]; ok {
		s.kind, s.class = known.kind, known.class
		return s
	}
	switch s.goType.Kind() {
	case reflect.Struct:
		s.kind, s.fields, s.class = structure, structOf(s.goType), modelPackage+s.goType.Name()
	case reflect.Slice:
		s.kind = list
		s.elem = elemOf(s.goType)
		s.class = "java.util.List<" + s.elem.class + ">"
	case reflect.Map:
		s.kind = dict
		s.elem = elemOf(s.goType)
		s.class = "java.util.Map<java.lang.String, " + s.elem.class + ">"
	default:
		panic(fmt.Sprintf("wire: %v stands for no shape", t))
	}
	return s
}

func elemOf(t reflect.Type) *shape {
	elem := shapeOf(t.Elem(), false)
	return &elem
}

const (
	modelPackage = "com.amazonaws.dynamodb.v20120810."
	attribute    = modelPackage + "AttributeValue"
	long         = "java.lang.Long"
)

// scalars are the types that need no closer look.
var scalars = map[reflect.Type]struct {
	kind  kind
	class string
}{
	reflect.TypeFor[string]():         {text, "java.lang.String"},
	reflect.TypeFor[int64]():          {integer, "java.lang.Integer"},
	reflect.TypeFor[float64]():        {double, "java.lang.Double"},
	reflect.TypeFor[bool]():           {boolean, "java.lang.Boolean"},
	reflect.TypeFor[time.Time]():      {timestamp, "java.util.Date"},
	reflect.TypeFor[[]byte]():         {blob, "java.nio.ByteBuffer"},
	reflect.TypeFor[attr.Value]():     {value, attribute},
	reflect.TypeFor[attr.SentValue](): {sentValue, attribute},
	reflect.TypeFor[attr.Item]():      {item, "java.util.Map<java.lang.String, " + attribute + ">"},
	reflect.TypeFor[[]attr.Item]():    {items, "java.util.List<java.util.Map<java.lang.String, " + attribute + ">>"},
	reflect.TypeFor[attr.SentItem]():  {sentItem, "java.util.Map<java.lang.String, " + attribute + ">"},
}
