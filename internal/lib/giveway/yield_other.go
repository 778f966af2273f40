//go:build !linux

package giveway

// osYield does nothing.
func osYield() {}
