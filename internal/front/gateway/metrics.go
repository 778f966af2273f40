package gateway

import (
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the counts of the front. A call's number is that of its latency histogram.
type metrics struct {
	seconds *prometheus.HistogramVec
	errors  *prometheus.CounterVec
	panics  prometheus.Counter
}

// latencies are the bounds of the histogram's buckets, in seconds: from a cached read to a request that waited for everything.
var latencies = []float64{
	50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 20e-3, 50e-3, 100e-3, 200e-3, 500e-3, 1, 2, 5, 10,
}

func newMetrics(reg prometheus.Registerer, a *admission, connections func() int) *metrics {
	m := &metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "gramme_request_seconds",
			Help:    "How long calls took, from their headers to the encoded answer.",
			Buckets: latencies,
		}, []string{"service", "operation"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gramme_request_errors_total",
			Help: "Calls that failed, by the code of the error.",
		}, []string{"service", "operation", "code"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "gramme_panics_total",
			Help: "Panics in operations, each of which was answered as an internal error.",
		}),
	}
	reg.MustRegister(m.seconds, m.errors, m.panics,
		gauge("gramme_connections", "Open connections.", func() float64 { return float64(connections()) }),
		gauge("gramme_requests_running", "Calls being served.", func() float64 { return float64(a.load().running) }),
		gauge("gramme_requests_waiting", "Calls waiting for their turn.", func() float64 { return float64(a.load().waiting) }),
		gauge("gramme_requests_bytes", "Bytes of calls and answers in memory.", func() float64 { return float64(a.load().bytes) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "gramme_requests_refused_total",
			Help: "Calls refused because too many were waiting or a turn did not come in time.",
		}, func() float64 { return float64(a.load().refused) }))
	return m
}

func gauge(name, help string, f func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f)
}

// operation returns the metrics of one operation, so that serving a call looks nothing up.
func (m *metrics) operation(service, op string) (prometheus.Observer, *prometheus.CounterVec) {
	return m.seconds.WithLabelValues(service, op), m.errors.MustCurryWith(prometheus.Labels{"service": service, "operation": op})
}
