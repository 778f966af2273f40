package result

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Count writes a number with commas: 1,446,330.
func Count[N uint64 | float64 | int](n N) string {
	s := strconv.FormatFloat(math.Round(float64(n)), 'f', 0, 64)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Rate writes a number a second: with commas, or with decimals if it is small.
func Rate(n float64) string {
	if n >= 100 || n == 0 {
		return Count(n)
	}
	return significant(n)
}

// Millis writes microseconds as milliseconds with three significant digits: 0.312, 1.24, 124.
func Millis(us float64) string { return significant(us / 1000) }

func significant(v float64) string {
	switch a := math.Abs(v); {
	case a >= 99.95:
		return Count(v)
	case a >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 0.9995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

// Codes writes counts by code, the most frequent first.
func Codes(counts map[string]uint64) string {
	codes := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return int(counts[b]) - int(counts[a])
		}
		return strings.Compare(a, b)
	})
	for i, c := range codes {
		codes[i] = fmt.Sprintf("%s %s", Count(counts[c]), c)
	}
	return strings.Join(codes, ", ")
}

// Loop says how the load was made: "16 connections, closed loop".
func (s *Settings) Loop() string {
	loop := "closed loop"
	if s.Rate > 0 {
		loop = Rate(s.Rate) + " operations/s"
	}
	n := "s"
	if s.Connections == 1 {
		n = ""
	}
	return fmt.Sprintf("%d connection%s, %s", s.Connections, n, loop)
}

// Title says what was run: the workload with its mix where it has a name of its own.
func (s *Settings) Title() string {
	if len(s.Mix) == 1 {
		if s.Mix[0].Operation == s.Workload {
			return s.Workload
		}
		return s.Workload + " (" + s.Mix[0].Operation + ")"
	}
	var parts []string
	for _, m := range s.Mix {
		parts = append(parts, fmt.Sprintf("%s %d", m.Operation, m.Weight))
	}
	mix := strings.Join(parts, ", ")
	if strings.ContainsAny(s.Workload, ":,") {
		return mix
	}
	return s.Workload + " (" + mix + ")"
}
