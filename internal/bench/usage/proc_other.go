//go:build !linux

package usage

import "errors"

// CPU is not known on this system.
func CPU(int) (float64, error) { return 0, errors.ErrUnsupported }

// RSS is not known on this system.
func RSS(int) (rss, peak int64) { return 0, 0 }

func machine() (busy, steal float64) { return 0, 0 }
