package expr

import (
	"fmt"

	"github.com/grammedb/gramme/internal/lang/attr"
)

const (
	maxPlaceholder  = 255     // bytes of #name or :value
	maxPlaceholders = 2 << 20 // bytes of all names and values of a request
)

// checkMaps checks the two maps by themselves, first the names.
func checkMaps(r *Request) error {
	size := len(r.Values.Item)
	if r.Names != nil {
		n, err := checkNames(r.Names)
		if err != nil {
			return err
		}
		size += n
	}
	if r.Values.Present() {
		if err := checkValues(r.Values); err != nil {
			return err
		}
	}
	if size > maxPlaceholders {
		return &Error{fmt.Sprintf("The combined size of ExpressionAttributeNames and ExpressionAttributeValues has exceeded "+
			"the maximum allowed size; size: %d", size)}
	}
	return nil
}

// checkNames returns the bytes of the keys and the names. Of several faults it reports that of the least key.
func checkNames(names map[string]string) (size int, err error) {
	const member = "ExpressionAttributeNames"
	if len(names) == 0 {
		return 0, &Error{member + " must not be empty"}
	}
	faulty := ""
	for key, name := range names {
		size += len(key) + len(name)
		if fault := nameFault(key, name); fault != "" && (err == nil || key < faulty) {
			faulty, err = key, &Error{member + " contains invalid " + fault}
		}
	}
	return size, err
}

func nameFault(key, name string) string {
	switch fault := keyFault(key, '#'); {
	case fault != "":
		return fault
	case name == "":
		return "value: Empty attribute name for key " + key
	case len(name) > attr.MaxName:
		return fmt.Sprintf("value: Attribute name is too large, must be less than or equal to %d bytes for key %s", attr.MaxName, key)
	}
	return ""
}

func checkValues(values attr.SentItem) error {
	const member = "ExpressionAttributeValues"
	if len(values.Item) == 0 {
		return &Error{member + " must not be empty"}
	}
	for key := range values.Item.All() {
		if fault := keyFault(string(key), ':'); fault != "" {
			return &Error{member + " contains invalid " + fault}
		}
	}
	switch fault := values.Check(); {
	case fault == nil:
		return nil
	case fault.Nesting:
		return &Error{fault.Text}
	default:
		return &Error{member + " contains invalid value: " + fault.Text + " for key " + fault.Name}
	}
}

// keyFault checks the key of an entry: the sigil, then letters, digits and underscores.
func keyFault(key string, sigil byte) string {
	switch {
	case len(key) < 2 || key[0] != sigil || wordLen(key[1:]) != len(key)-1:
		return "key: Syntax error; key: \"" + key + "\""
	case len(key) > maxPlaceholder:
		return fmt.Sprintf("key: Key size has exceeded the maximum allowed size; key size: %d", len(key))
	}
	return ""
}
