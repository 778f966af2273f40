package iam

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A Key is a long-term access key.
type Key struct {
	ID     string
	Secret string
}

// The lengths of an access key's identifier (API reference: IAM, AccessKey; shorter ones are allowed here, because people
// use short ones locally).
const (
	minKeyID = 1
	maxKeyID = 128
)

var errKeyForm = errors.New("an access key is written ID:SECRET")

// ParseKey reads "ID:SECRET". Its errors never contain the secret.
func ParseKey(s string) (Key, error) {
	id, secret, ok := strings.Cut(s, ":")
	if !ok {
		return Key{}, errKeyForm
	}
	if len(id) < minKeyID || len(id) > maxKeyID || strings.ContainsFunc(id, notInID) {
		return Key{}, fmt.Errorf("access key %q: want %d to %d letters, digits, '_', '-' or '.'", id, minKeyID, maxKeyID)
	}
	if secret == "" || strings.ContainsAny(secret, " \t\r\n") {
		return Key{}, fmt.Errorf("access key %s: the secret is empty or has blanks", id)
	}
	return Key{ID: id, Secret: secret}, nil
}

// notInID reports what an identifier may not have: it stands between slashes in a credential and in an ARN.
func notInID(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-' && r != '.'
}

// ReadKeys reads one ID:SECRET a line. Empty lines and lines that start with # are skipped.
func ReadKeys(r io.Reader) ([]Key, error) {
	var keys []Key
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		k, err := ParseKey(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		keys = append(keys, k)
	}
	return keys, lines.Err()
}

// Keys holds the access keys that may call. It does not change.
type Keys struct {
	users map[string]user
}

type user struct {
	secret    string
	principal Principal
}

// NewKeys makes Keys. An identifier must not be given twice with different secrets.
func NewKeys(keys []Key) (*Keys, error) {
	users := make(map[string]user, len(keys))
	for _, k := range keys {
		if u, ok := users[k.ID]; ok && u.secret != k.Secret {
			return nil, fmt.Errorf("access key %s is given twice, with different secrets", k.ID)
		}
		users[k.ID] = user{secret: k.Secret, principal: User(k.ID)}
	}
	return &Keys{users: users}, nil
}

// Len returns the number of keys. A nil Keys has none.
func (k *Keys) Len() int {
	if k == nil {
		return 0
	}
	return len(k.users)
}

// Secret returns the secret of an access key.
func (k *Keys) Secret(id string) (string, bool) {
	u, ok := k.users[id]
	return u.secret, ok
}

// Principal returns whom an access key stands for: also for keys that are not held here, which only matters where any
// credentials are accepted.
func (k *Keys) Principal(id string) Principal {
	if k != nil {
		if u, ok := k.users[id]; ok {
			return u.principal
		}
	}
	return User(id)
}
