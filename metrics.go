package gramme

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/grammedb/gramme/internal/flow/ttl"
	"github.com/grammedb/gramme/internal/iam"
	"github.com/grammedb/gramme/internal/kv/pebblekv"
)

// newCollectors returns the metrics of the process, of Go, of the store and of time to live.
func newCollectors(engine *pebblekv.DB, sweeper *ttl.Sweeper) []prometheus.Collector {
	return []prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
		storeCollector{engine},
		ttlCollector{sweeper},
	}
}

// A storeCollector reads the store's counts when it is asked for them.
type storeCollector struct{ engine *pebblekv.DB }

// A storeMetric is one count of the store.
type storeMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*pebble.Metrics) float64
}

// storeMetrics are what the store tells. Gauges unless they are named as a total.
var storeMetrics = []storeMetric{
	storeGauge("disk_bytes", "Size of the store on disk.", func(m *pebble.Metrics) float64 { return float64(m.DiskSpaceUsage()) }),
	storeGauge("memtable_bytes", "Size of the memtables.", func(m *pebble.Metrics) float64 { return float64(m.MemTable.Size) }),
	storeGauge("cache_bytes", "Size of the block cache.", func(m *pebble.Metrics) float64 { return float64(m.BlockCache.Size) }),
	storeGauge("compaction_debt_bytes", "Estimate of what has yet to be compacted.", func(m *pebble.Metrics) float64 { return float64(m.Compact.EstimatedDebt) }),
	storeGauge("read_amplification", "Tables that a read may have to look into.", func(m *pebble.Metrics) float64 { return float64(m.ReadAmp()) }),
	storeCounter("cache_hits_total", "Blocks found in the cache.", func(m *pebble.Metrics) float64 { return float64(m.BlockCache.Hits) }),
	storeCounter("cache_misses_total", "Blocks read from files.", func(m *pebble.Metrics) float64 { return float64(m.BlockCache.Misses) }),
	storeCounter("compactions_total", "Compactions.", func(m *pebble.Metrics) float64 { return float64(m.Compact.Count) }),
	storeCounter("flushes_total", "Flushes of memtables.", func(m *pebble.Metrics) float64 { return float64(m.Flush.Count) }),
	storeCounter("wal_bytes_total", "Bytes written to the write-ahead log.", func(m *pebble.Metrics) float64 { return float64(m.WAL.BytesWritten) }),
}

func storeGauge(name, help string, f func(*pebble.Metrics) float64) storeMetric {
	return storeMetric{prometheus.NewDesc("gramme_store_"+name, help, nil, nil), prometheus.GaugeValue, f}
}

func storeCounter(name, help string, f func(*pebble.Metrics) float64) storeMetric {
	return storeMetric{prometheus.NewDesc("gramme_store_"+name, help, nil, nil), prometheus.CounterValue, f}
}

// Describe implements prometheus.Collector.
func (storeCollector) Describe(out chan<- *prometheus.Desc) {
	for _, m := range storeMetrics {
		out <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (c storeCollector) Collect(out chan<- prometheus.Metric) {
	all := c.engine.Metrics()
	for _, m := range storeMetrics {
		out <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(all))
	}
}

// A ttlCollector reads what the sweeper has counted, when it is asked for it.
type ttlCollector struct{ sweeper *ttl.Sweeper }

var (
	ttlDeleted = prometheus.NewDesc("gramme_time_to_live_deleted_items_total",
		"Items deleted because their time to live was over.", []string{"region", "table"}, nil)
	ttlLag = prometheus.NewDesc("gramme_time_to_live_lag_seconds",
		"How long the item that is to be deleted next has been expired.", []string{"region", "table"}, nil)
)

// Describe implements prometheus.Collector.
func (ttlCollector) Describe(out chan<- *prometheus.Desc) {
	out <- ttlDeleted
	out <- ttlLag
}

// Collect implements prometheus.Collector. Tables of the server's own parts are nobody else's business.
func (c ttlCollector) Collect(out chan<- prometheus.Metric) {
	for _, t := range c.sweeper.Stats() {
		if t.Account != iam.Account {
			continue
		}
		out <- prometheus.MustNewConstMetric(ttlDeleted, prometheus.CounterValue, float64(t.Deleted), t.Region, t.Table)
		out <- prometheus.MustNewConstMetric(ttlLag, prometheus.GaugeValue, t.Lag.Seconds(), t.Region, t.Table)
	}
}
