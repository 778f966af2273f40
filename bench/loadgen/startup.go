package main

import (
	"errors"
	"slices"
	"time"

	"github.com/grammedb/gramme/bench/internal/server"
	"github.com/grammedb/gramme/internal/bench/usage"
)

type startupReport struct {
	Label    string    `json:"label"`
	Startup  bool      `json:"startup"`
	MS       []float64 `json:"ms"`
	MedianMS float64   `json:"median_ms"`
	MinMS    float64   `json:"min_ms"`
	MaxMS    float64   `json:"max_ms"`
	IdleMiB  float64   `json:"idle_mib"`
}

// startup starts a command n times and times it to its first good answer.
func startup(cfg *config, argv []string, n int) (*startupReport, error) {
	if len(argv) == 0 || n < 1 {
		return nil, errors.New("startup: give the command after --")
	}
	r := &startupReport{Startup: true}
	for range n {
		ms, rss, err := startOnce(cfg, argv)
		if err != nil {
			return nil, err
		}
		r.MS = append(r.MS, ms)
		r.IdleMiB = max(r.IdleMiB, rss)
	}
	slices.Sort(r.MS)
	r.MinMS, r.MedianMS, r.MaxMS = r.MS[0], r.MS[n/2], r.MS[n-1]
	return r, nil
}

// idle is how long a server is left alone before its memory is looked at.
const idle = 700 * time.Millisecond

func startOnce(cfg *config, argv []string) (ms, rssMiB float64, err error) {
	s, err := server.Start(server.Command{Args: argv, Endpoint: cfg.endpoint, Credentials: cfg.cred, Any: !cfg.check})
	if err != nil {
		return 0, 0, err
	}
	time.Sleep(idle)
	rss, _ := usage.RSS(s.PID())
	return float64(s.Took().Microseconds()) / 1e3, float64(rss) / (1 << 20), s.Stop()
}
