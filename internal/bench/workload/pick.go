package workload

import "bytes"

// What an answer says, picked out of its text: decoding a large answer would cost more than sending it. The items of this
// package have no attribute of these names. Some servers write a space after the colon.

// valueOf returns what follows name (with its quotes) and a colon in body, nil if it is not there.
func valueOf(body []byte, name string) []byte {
	i := bytes.Index(body, []byte(name))
	if i < 0 {
		return nil
	}
	return bytes.TrimLeft(body[i+len(name):], ": ")
}

// object returns the object that follows name in body, or nil.
func object(body []byte, name string) []byte {
	b := valueOf(body, name)
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	depth, quoted := 0, false
	for j := 0; j < len(b); j++ {
		switch ch := b[j]; {
		case quoted:
			if ch == '\\' {
				j++
			} else if ch == '"' {
				quoted = false
			}
		case ch == '"':
			quoted = true
		case ch == '{':
			depth++
		case ch == '}':
			if depth--; depth == 0 {
				return b[:j+1]
			}
		}
	}
	return nil
}

// number returns the number that follows name in body, or 0.
func number(body []byte, name string) (v uint64) {
	for _, ch := range valueOf(body, name) {
		if ch < '0' || ch > '9' {
			break
		}
		v = v*10 + uint64(ch-'0')
	}
	return v
}

// attributeNumber returns the digits of the attribute of type N of that name.
func attributeNumber(body []byte, name string) []byte {
	b, ok := bytes.CutPrefix(valueOf(body, name), []byte(`{"N"`))
	if !ok {
		return nil
	}
	b, ok = bytes.CutPrefix(bytes.TrimLeft(b, ": "), []byte(`"`))
	if i := bytes.IndexByte(b, '"'); ok && i >= 0 {
		return b[:i]
	}
	return nil
}

// Remaining returns the part of a batch that was not processed, an object like that of the request's RequestItems; nil if all
// was.
func Remaining(target string, body []byte) []byte {
	name := `"UnprocessedItems"`
	switch target {
	case "BatchGetItem":
		name = `"UnprocessedKeys"`
	case "BatchWriteItem":
	default:
		return nil
	}
	if o := object(body, name); len(o) > 2 {
		return o
	}
	return nil
}
