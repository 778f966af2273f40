package dynamodb

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"reflect"

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
	members := appendMember(make([]byte, 0, 2<<10), reflect.ValueOf(in))
	return &store.Token{Key: keys.Token(c.Account, c.Region, *token), Hash: sha256.Sum256(members)}
}

// appendMember appends a member of an input in a form that two members share only if they are the same: what has no length of its own
// comes behind it, and what may be absent behind a byte that tells. It panics for a type that the inputs with tokens do not have.
func appendMember(dst []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return append(dst, 0)
		}
		return appendMember(append(dst, 1), v.Elem())
	case reflect.String:
		return appendText(dst, v.String())
	case reflect.Slice:
		if v.IsNil() {
			return append(dst, 0)
		}
		dst = binary.AppendUvarint(append(dst, 1), uint64(v.Len()))
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

func appendStruct(dst []byte, v reflect.Value) []byte {
	switch s := v.Addr().Interface().(type) {
	case *attr.SentItem:
		return appendForm(dst, s.Present(), s.Item)
	case *attr.SentValue:
		return appendForm(dst, s.Present(), s.Value)
	}
	for i := range v.NumField() {
		dst = appendMember(dst, v.Field(i))
	}
	return dst
}

// appendForm appends the form of attribute values, which is canonical.
func appendForm(dst []byte, present bool, form []byte) []byte {
	if !present {
		return append(dst, 0)
	}
	return appendText(append(dst, 1), form)
}

func appendTexts(dst []byte, m map[string]string) []byte {
	if m == nil {
		return append(dst, 0)
	}
	dst = binary.AppendUvarint(append(dst, 1), uint64(len(m)))
	for _, key := range sortedKeys(m) {
		dst = appendText(appendText(dst, key), m[key])
	}
	return dst
}

func appendText[T ~string | ~[]byte](dst []byte, text T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}
