package iam

import (
	"errors"
	"strings"
	"testing"
)

func TestParseKey(t *testing.T) {
	for _, tt := range []struct {
		in      string
		want    Key
		wantErr string
	}{
		{in: "AKIDEXAMPLE:wJalr/K7+bPx=", want: Key{"AKIDEXAMPLE", "wJalr/K7+bPx="}},
		{in: "a:b:c", want: Key{"a", "b:c"}},
		{in: "dev_key-1.x:s", want: Key{"dev_key-1.x", "s"}},
		{in: "AKIDEXAMPLE", wantErr: "written ID:SECRET"},
		{in: "", wantErr: "written ID:SECRET"},
		{in: ":hush", wantErr: `access key ""`},
		{in: "a/b:hush", wantErr: `access key "a/b"`},
		{in: "a b:hush", wantErr: `access key "a b"`},
		{in: "é:hush", wantErr: `access key "é"`},
		{in: strings.Repeat("a", 129) + ":hush", wantErr: "1 to 128"},
		{in: "a:", wantErr: "secret is empty"},
		{in: "a:hush hush", wantErr: "has blanks"},
	} {
		got, err := ParseKey(tt.in)
		if tt.wantErr == "" && (err != nil || got != tt.want) {
			t.Errorf("ParseKey(%q) = %v, %v; want %v", tt.in, got, err, tt.want)
		}
		if tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)) {
			t.Errorf("ParseKey(%q) fails with %v, want %q", tt.in, err, tt.wantErr)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("ParseKey(%q): the error tells the secret: %v", tt.in, err)
		}
	}
}

func TestReadKeys(t *testing.T) {
	got, err := ReadKeys(strings.NewReader("# production\nA:1\n\n  B:2  \r\n#C:3\n"))
	if err != nil || len(got) != 2 || got[0] != (Key{"A", "1"}) || got[1] != (Key{"B", "2"}) {
		t.Errorf("ReadKeys = %v, %v; want A:1 and B:2", got, err)
	}
	if _, err := ReadKeys(strings.NewReader("A:1\n\nnonsense\n")); err == nil || !strings.HasPrefix(err.Error(), "line 3: ") {
		t.Errorf("error = %v, want one that names line 3", err)
	}
	broken := errors.New("broken")
	if _, err := ReadKeys(failing{broken}); !errors.Is(err, broken) {
		t.Errorf("error = %v, want %v", err, broken)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestKeys(t *testing.T) {
	k, err := NewKeys([]Key{{"A", "1"}, {"B", "2"}, {"A", "1"}})
	if err != nil {
		t.Fatal(err)
	}
	if k.Len() != 2 {
		t.Errorf("Len = %d, want 2", k.Len())
	}
	if s, ok := k.Secret("B"); s != "2" || !ok {
		t.Errorf("Secret(B) = %q, %v", s, ok)
	}
	if s, ok := k.Secret("C"); s != "" || ok {
		t.Errorf("Secret(C) = %q, %v; want none", s, ok)
	}
	if _, err := NewKeys([]Key{{"A", "1"}, {"A", "2"}}); err == nil || !strings.Contains(err.Error(), "given twice") {
		t.Errorf("two secrets for one key: error = %v", err)
	}
}

func TestPrincipal(t *testing.T) {
	held, err := NewKeys([]Key{{"A", "1"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []*Keys{nil, held} {
		for _, id := range []string{"A", "stranger"} {
			want := Principal{AccessKey: id, ARN: "arn:aws:iam::000000000000:user/" + id, UserID: id, Account: "000000000000"}
			if got := k.Principal(id); got != want {
				t.Errorf("Principal(%s) = %+v, want %+v", id, got, want)
			}
		}
	}
	if (*Keys)(nil).Len() != 0 {
		t.Error("no keys have a length")
	}
}
