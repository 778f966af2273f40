package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"sort"
	"strings"
	"syscall"
	"time"

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
	if nc, err := net.Dial("tcp", cfg.addr.String()); err == nil {
		nc.Close()
		return nil, fmt.Errorf("something listens on %s already", cfg.addr)
	}
	r := &startupReport{Startup: true}
	for i := 0; i < n; i++ {
		ms, rss, err := startOnce(cfg, argv)
		if err != nil {
			return nil, err
		}
		r.MS = append(r.MS, ms)
		r.IdleMiB = max(r.IdleMiB, rss)
	}
	sort.Float64s(r.MS)
	r.MinMS, r.MedianMS, r.MaxMS = r.MS[0], r.MS[n/2], r.MS[n-1]
	return r, nil
}

func startOnce(cfg *config, argv []string) (ms, rssMiB float64, err error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	defer func() {
		// cmd.Wait has its error; a failed signal means it has ended.
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-exited
		}
	}()
	for time.Since(begin) < 60*time.Second {
		select {
		case werr := <-exited:
			exited <- werr
			return 0, 0, fmt.Errorf("%s ended: %v: %s", argv[0], werr, stderr.String())
		default:
		}
		status, body, cerr := call(cfg, "ListTables", "{}")
		if cerr == nil && status == http.StatusOK && (!cfg.check || bytes.Contains(body, []byte("TableNames"))) {
			ms = float64(time.Since(begin).Microseconds()) / 1e3
			time.Sleep(700 * time.Millisecond)
			rss, _ := usage.RSS(cmd.Process.Pid)
			return ms, float64(rss) / (1 << 20), nil
		}
		time.Sleep(300 * time.Microsecond)
	}
	return 0, 0, fmt.Errorf("%s: no answer within 60 s", argv[0])
}
