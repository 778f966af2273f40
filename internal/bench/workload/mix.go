package workload

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/grammedb/gramme/internal/bench/dist"
)

// A Mix is operations with weights.
type Mix struct {
	Parts []Part
	total uint64
}

// A Part is one operation of a mix.
type Part struct {
	Operation *Operation
	Weight    uint64
}

// A Preset is a mix with a name.
type Preset struct {
	Name         string
	Mix          string
	Distribution string // of the keys
	PerPartition uint64 // 0: as always
	About        string
}

// Presets lists the mixes with names.
func Presets() []Preset {
	return []Preset{
		{"mixed", "get:50,query:10,put:15,update:15,batchget:5,txwrite:5", "uniform", 0, "what an application may do: reads, writes, batches, transactions"},
		{"ycsba", "get:50,update:50", "zipfian", 0, "YCSB A, update heavy"},
		{"ycsbb", "get:95,update:5", "zipfian", 0, "YCSB B, read mostly"},
		{"ycsbc", "get", "zipfian", 0, "YCSB C, read only"},
		{"ycsbd", "get:95,insert:5", "latest", 0, "YCSB D, read latest"},
		{"ycsbe", "range:95,insert:5", "zipfian", 100, "YCSB E, short ranges; with scans: scanfrom:95,insert:5"},
		{"ycsbf", "get:50,rmw:50", "zipfian", 0, "YCSB F, read-modify-write"},
	}
}

// FindPreset returns the preset of a name; one for a mix that has no name.
func FindPreset(text string) Preset {
	for _, p := range Presets() {
		if p.Name == text {
			return p
		}
	}
	return Preset{Mix: text, Distribution: "uniform"}
}

// ParseMix reads the name of an operation or a preset, or operations with weights: get:90,update:10.
func ParseMix(text string) (*Mix, error) {
	m := new(Mix)
	for part := range strings.SplitSeq(FindPreset(text).Mix, ",") {
		name, num, has := strings.Cut(strings.TrimSpace(part), ":")
		weight := uint64(1)
		if has {
			var err error
			if weight, err = strconv.ParseUint(num, 10, 16); err != nil || weight == 0 {
				return nil, fmt.Errorf("bad weight in %q", part)
			}
		}
		op := FindOperation(name)
		if op == nil {
			return nil, fmt.Errorf("there is no workload %q; there are %s", name, strings.Join(names(), ", "))
		}
		if slices.ContainsFunc(m.Parts, func(p Part) bool { return p.Operation.Name == name }) {
			return nil, fmt.Errorf("%s is in the mix twice", name)
		}
		m.Parts = append(m.Parts, Part{op, weight})
		m.total += weight
	}
	return m, nil
}

// MixOf returns the mix of one operation.
func MixOf(o *Operation) *Mix { return &Mix{Parts: []Part{{o, 1}}, total: 1} }

func names() (all []string) {
	for _, o := range Operations() {
		all = append(all, o.Name)
	}
	for _, p := range Presets() {
		all = append(all, p.Name)
	}
	slices.Sort(all)
	return all
}

// Pick returns the number of the part whose operation comes next.
func (m *Mix) Pick(r *dist.RNG) int {
	if len(m.Parts) == 1 {
		return 0
	}
	v := r.Below(m.total)
	for i := range m.Parts {
		if v < m.Parts[i].Weight {
			return i
		}
		v -= m.Parts[i].Weight
	}
	panic("unreachable")
}

// Pick draws from the mix.
func (g *Generator) Pick(m *Mix) int { return m.Pick(&g.rng) }

// Indexed reports whether the mix needs the index.
func (m *Mix) Indexed() bool {
	return slices.ContainsFunc(m.Parts, func(p Part) bool { return p.Operation.Indexed })
}

// Share returns the share of a part, from 0 to 1.
func (m *Mix) Share(i int) float64 { return float64(m.Parts[i].Weight) / float64(m.total) }
