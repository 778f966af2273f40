package gateway

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"crypto/sha256"
	"encoding/json"
	"io"
	"strings"
	"testing"
)

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

func zlibbed(s string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

func deflated(s string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 1)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

func TestCompressedRequests(t *testing.T) {
	spaces := strings.Repeat(" ", maxBody)
	corrupt := []byte(gzipped(hello))
	corrupt[len(corrupt)-5] ^= 1 // of the checksum
	for _, tt := range []struct {
		name, encoding, body string
		status               int
	}{
		{"gzip", "gzip", gzipped(hello), 200},
		{"upper case", "GZIP", gzipped(hello), 200},
		{"deflate", "deflate", zlibbed(hello), 200},
		{"deflate, truncated", "deflate", zlibbed(hello)[:10], 500},
		{"deflate, empty", "deflate", "", 500},
		{"two encodings", "gzip, gzip", gzipped(gzipped(hello)), 500},
		{"many empty members", "gzip", strings.Repeat(gzipped(""), 50_000) + gzipped(hello), 200},
		{"several members", "gzip", gzipped(`{"Text":`) + gzipped(`"hello"`) + gzipped(`}`), 200},
		{"junk behind", "gzip", gzipped(hello) + "junk", 200},
		{"empty member", "gzip", gzipped(hello) + gzipped(""), 200},
		{"truncated", "gzip", gzipped(hello)[:20], 500},
		{"corrupt", "gzip", string(corrupt), 500},
		{"second member truncated", "gzip", gzipped(hello) + gzipped(hello)[:15], 500},
		{"not gzip", "gzip", hello, 500},
		{"empty", "gzip", "", 500},
		{"raw deflate", "deflate", deflated(hello), 500},
		{"just fits", "gzip", gzipped(spaces[len(hello):] + hello), 200},
		{"too large", "gzip", gzipped(spaces + hello), 413},
		{"bomb", "gzip", strings.Repeat(gzipped(spaces), 8), 413},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onAll(t, Config{Keys: withKey(t)}, func(t *testing.T, e *endpoint, _ *syncBuffer) {
				a := e.do(t, call{body: tt.body, headers: map[string]string{"Content-Encoding": tt.encoding}})
				if a.StatusCode != tt.status {
					t.Errorf("status = %d, want %d: %s", a.StatusCode, tt.status, a.body)
				}
				if tt.status == 413 && a.body != "" || tt.status == 500 && a.body != internal {
					t.Errorf("body = %q", a.body)
				}
			})
		})
	}
}

func TestCompressedAnswers(t *testing.T) {
	text := strings.Repeat("hello ", 10_000) // compressible
	onAll(t, Config{}, func(t *testing.T, e *endpoint, _ *syncBuffer) {
		for _, tt := range []struct {
			accept, want string
			size         int
		}{
			{"", "", 60_000},
			{"identity", "", 60_000},
			{"gzip", "gzip", 60_000},
			{"deflate", "deflate", 60_000},
			{"gzip", "gzip", 5_000},
			{"gzip", "", 3_000},
		} {
			c := call{body: `{"Text":"` + text[:tt.size] + `"}`, headers: map[string]string{"Accept-Encoding": tt.accept}}
			a := e.do(t, c) // checks the CRC of the bytes as sent
			if got := a.Header.Get("Content-Encoding"); got != tt.want {
				t.Errorf("Accept-Encoding %q, %d bytes: Content-Encoding = %q, want %q", tt.accept, tt.size, got, tt.want)
			}
			var out sayOutput
			if err := json.Unmarshal(plain(t, tt.want, a.body), &out); err != nil || out.Said == nil || *out.Said != text[:tt.size] {
				t.Errorf("Accept-Encoding %q, %d bytes: the answer is not what was said (%v)", tt.accept, tt.size, err)
			}
		}
	})
}

func plain(t *testing.T, encoding, body string) []byte {
	t.Helper()
	var r io.Reader = strings.NewReader(body)
	var err error
	switch encoding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "deflate":
		r, err = zlib.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestChooseEncoding(t *testing.T) {
	for accept, want := range map[string]string{
		"":                            "",
		"identity":                    "",
		"gzip":                        "gzip",
		"GZIP":                        "gzip",
		"deflate":                     "deflate",
		"gzip, deflate, br":           "gzip",
		"deflate;q=1.0, gzip;q=0.5":   "deflate",
		"gzip;q=0":                    "",
		"gzip;q=0, deflate":           "deflate",
		"*":                           "gzip",
		"*;q=0":                       "",
		"gzip;q=0, *":                 "deflate",
		"br":                          "",
		"identity;q=1, gzip;q=0.5":    "",
		"identity;q=0.5, gzip;q=0.5":  "gzip",
		"gzip;q=nonsense":             "",
		"gzip;q=2":                    "",
		" gzip ; q=0.8 , deflate;q=1": "deflate",
	} {
		got := ""
		if e := chooseEncoding(accept); e != nil {
			got = e.name
		}
		if got != want {
			t.Errorf("Accept-Encoding %q: %q, want %q", accept, got, want)
		}
	}
}

func FuzzGzipMembers(f *testing.F) {
	f.Add([]byte(gzipped(hello) + gzipped(hello) + "junk"))
	f.Add([]byte{0x1f, 0x8b})
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := newGzipMembers(body)
		if err != nil {
			return
		}
		first, err1 := io.ReadAll(io.LimitReader(r, 1<<20))
		again, _ := newGzipMembers(body)
		second, err2 := io.ReadAll(io.LimitReader(again, 1<<20))
		if (err1 == nil) != (err2 == nil) || sha256.Sum256(first) != sha256.Sum256(second) {
			t.Error("the same bytes gave two results")
		}
	})
}
