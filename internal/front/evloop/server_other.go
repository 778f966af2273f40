//go:build !linux

package evloop

import (
	"context"
	"net"
)

// A Server does not exist here.
type Server struct{}

// New fails with ErrUnsupported.
func New(Config) (*Server, error) { return nil, ErrUnsupported }

// Serve fails with ErrUnsupported.
func (*Server) Serve(net.Listener) error { return ErrUnsupported }

// Open returns 0.
func (*Server) Open() int { return 0 }

// Shutdown does nothing.
func (*Server) Shutdown(context.Context) error { return nil }

// Nudge does nothing.
func (*Server) Nudge() bool { return false }

// Close does nothing.
func (*Server) Close() {}
