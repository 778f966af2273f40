package server

import (
	"net"
	"strings"
	"testing"

	"github.com/grammedb/gramme/internal/bench/client"
)

// TestStart: what cannot be started is said so, with the reason.
func TestStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	for _, tt := range []struct {
		name, address, want string
		args                []string
	}{
		{"no command", free.Addr().String(), "no command", nil},
		{"a taken port", taken.Addr().String(), "listens on", []string{"true"}},
		{"no such program", free.Addr().String(), "no-such-program", []string{"./no-such-program"}},
		{"one that ends", free.Addr().String(), "bad flag", []string{"sh", "-c", "echo bad flag >&2; exit 2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Start(Command{Args: tt.args, Endpoint: client.Endpoint{Address: tt.address, Host: tt.address}})
			if err == nil {
				t.Fatal(s.Stop(), "it started")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q in it", err, tt.want)
			}
		})
	}
}
