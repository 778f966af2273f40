package gramme

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/grammedb/gramme/internal/flow/kinesis"
	"github.com/grammedb/gramme/internal/flow/ttl"
	"github.com/grammedb/gramme/internal/iam"
	"github.com/grammedb/gramme/internal/kv"
	"github.com/grammedb/gramme/internal/kv/pebblekv"
)

// newCollectors returns the metrics of the process, of Go, of the store if it is on disk, of time to live and of the deliveries to Kinesis.
func newCollectors(engine kv.Engine, sweeper *ttl.Sweeper, deliveries *kinesis.Manager) []prometheus.Collector {
	all := []prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
		ttlCollector{sweeper},
		kinesisCollector{deliveries},
	}
	if store, ok := engine.(*pebblekv.DB); ok {
		all = append(all, storeCollector{store})
	}
	return all
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
	storeGauge("wal_live_bytes", "Size of the write-ahead log that a start after a crash would replay.", func(m *pebble.Metrics) float64 { return float64(m.WAL.Size) }),
	storeGauge("cache_bytes", "Size of the block cache.", func(m *pebble.Metrics) float64 { return float64(m.BlockCache.Size) }),
	storeGauge("compaction_debt_bytes", "Estimate of what has yet to be compacted.", func(m *pebble.Metrics) float64 { return float64(m.Compact.EstimatedDebt) }),
	storeGauge("compactions_running", "Compactions that are running.", func(m *pebble.Metrics) float64 { return float64(m.Compact.NumInProgress) }),
	storeGauge("read_amplification", "Tables that a read may have to look into.", func(m *pebble.Metrics) float64 { return float64(m.ReadAmp()) }),
	storeCounter("cache_hits_total", "Blocks found in the cache.", func(m *pebble.Metrics) float64 { return float64(m.BlockCache.Hits) }),
	storeCounter("cache_misses_total", "Blocks read from files.", func(m *pebble.Metrics) float64 { return float64(m.BlockCache.Misses) }),
	storeCounter("compactions_total", "Compactions.", func(m *pebble.Metrics) float64 { return float64(m.Compact.Count) }),
	storeCounter("compacted_bytes_total", "Bytes written by compactions.", compactedBytes),
	storeCounter("flushes_total", "Flushes of memtables.", func(m *pebble.Metrics) float64 { return float64(m.Flush.Count) }),
	storeCounter("wal_bytes_total", "Bytes written to the write-ahead log.", func(m *pebble.Metrics) float64 { return float64(m.WAL.BytesWritten) }),
}

func compactedBytes(m *pebble.Metrics) float64 {
	all := m.Total()
	return float64(all.TableBytesCompacted + all.BlobBytesCompacted)
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

// A kinesisCollector reads the counts of the deliveries when it is asked for them.
type kinesisCollector struct{ deliveries *kinesis.Manager }

// A kinesisMetric is one count of a delivery.
type kinesisMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*kinesis.Stats) float64
}

// kinesisMetrics are what a delivery tells, for each table that has one.
var kinesisMetrics = []kinesisMetric{
	newKinesisMetric("records_delivered_total", "Change records put into the Kinesis data stream.", prometheus.CounterValue,
		func(s *kinesis.Stats) float64 { return float64(s.Delivered) }),
	newKinesisMetric("records_failed_total", "Change records that are never delivered: too large, or the stream was away for too long.", prometheus.CounterValue,
		func(s *kinesis.Stats) float64 { return float64(s.Failed) }),
	newKinesisMetric("records_throttled_total", "How often the Kinesis data stream refused a record for now.", prometheus.CounterValue,
		func(s *kinesis.Stats) float64 { return float64(s.Throttled) }),
	newKinesisMetric("oldest_undelivered_age_seconds", "Age of the oldest change record that is not delivered; 0: all are.", prometheus.GaugeValue,
		func(s *kinesis.Stats) float64 { return s.Age.Seconds() }),
}

func newKinesisMetric(name, help string, kind prometheus.ValueType, f func(*kinesis.Stats) float64) kinesisMetric {
	return kinesisMetric{prometheus.NewDesc("gramme_kinesis_"+name, help, []string{"region", "table"}, nil), kind, f}
}

// Describe implements prometheus.Collector.
func (kinesisCollector) Describe(out chan<- *prometheus.Desc) {
	for _, m := range kinesisMetrics {
		out <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (c kinesisCollector) Collect(out chan<- prometheus.Metric) {
	for _, s := range c.deliveries.Stats() {
		for _, m := range kinesisMetrics {
			out <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(&s), s.Table.Region, s.Table.Table)
		}
	}
}
