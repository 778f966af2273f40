package dynamodb

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/grammedb/gramme/internal/api"
	"github.com/grammedb/gramme/internal/db/store"
	"github.com/grammedb/gramme/internal/kv/keys"
	"github.com/grammedb/gramme/internal/lang/attr"
)

// newToken makes the idempotency token of a request, whose input is given; nil if it has none. Requests are the same if all their
// members are.
func newToken(c *api.Call, token *string, in any) *store.Token {
	if token == nil {
		return nil
	}
	members := appendMember(make([]byte, 0, 2<<10), reflect.ValueOf(in).Elem())
	return &store.Token{Key: keys.Token(c.Account, c.Region, *token), Hash: sha256.Sum256(members)}
}

// appendMember appends a member of an input, which is there, in a form that two members share only if they are the same. It panics for
// a type that the inputs with tokens do not have.
func appendMember(dst []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Pointer:
		return appendMember(dst, v.Elem())
	case reflect.String:
		return appendText(dst, v.String())
	case reflect.Slice:
		dst = binary.AppendUvarint(dst, uint64(v.Len()))
		for i := range v.Len() {
			dst = appendMember(dst, v.Index(i))
		}
		return dst
	case reflect.Map:
		return appendTexts(dst, v.Interface().(map[string]string))
	case reflect.Struct:
		return appendStruct(dst, v)
	}
	panic(fmt.Sprintf("dynamodb: a request token for a member of type %v", v.Type()))
}

// appendStruct appends the members that are there, each behind its name, and no name: a token is remembered across an upgrade to a
// release in which there are more members.
func appendStruct(dst []byte, v reflect.Value) []byte {
	switch s := v.Addr().Interface().(type) {
	case *attr.SentItem:
		return appendText(dst, s.Item)
	case *attr.SentValue:
		return appendText(dst, s.Value)
	}
	for _, m := range membersOf(v.Type()) {
		if f := v.Field(m.index); isPresent(f) {
			dst = appendMember(appendText(dst, m.name), f)
		}
	}
	return append(dst, 0)
}

// A namedMember is a member of a shape.
type namedMember struct {
	name  string
	index int
}

// shapeMembers remembers what membersOf has found out, by type: every TransactWriteItems of an SDK has a token.
var shapeMembers sync.Map

// membersOf returns the members of a shape by their names, whatever order they are declared in.
func membersOf(t reflect.Type) []namedMember {
	if known, ok := shapeMembers.Load(t); ok {
		return known.([]namedMember)
	}
	list := make([]namedMember, t.NumField())
	for i := range list {
		list[i] = namedMember{t.Field(i).Name, i}
	}
	slices.SortFunc(list, func(a, b namedMember) int { return strings.Compare(a.name, b.name) })
	shapeMembers.Store(t, list)
	return list
}

// isPresent reports whether a request has a member.
func isPresent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return !v.IsNil()
	case reflect.Struct:
		switch s := v.Addr().Interface().(type) {
		case *attr.SentItem:
			return s.Present()
		case *attr.SentValue:
			return s.Present()
		}
	}
	return true
}

func appendTexts(dst []byte, m map[string]string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(m)))
	for _, key := range sortedKeys(m) {
		dst = appendText(appendText(dst, key), m[key])
	}
	return dst
}

func appendText[T ~string | ~[]byte](dst []byte, text T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}
