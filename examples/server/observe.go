package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/propagation"

	"github.com/cloudbus-go/cloudbus/listeners/metrics"
	"github.com/cloudbus-go/cloudbus/listeners/trace"
)

// tracing makes spans with OpenTelemetry's global provider. None is set here, so nothing is recorded, but the trace that a request
// brings goes into the events that it leads to, and on to what handlers fire. Who embeds the server sets a provider.
var tracing = trace.Options{}

// measure makes the metrics' listener and their page. It counts on a registry of its own, beside Go's and the process's figures.
func (s *server) measure() (err error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if s.metrics, err = metrics.New(metrics.Options{Registerer: registry}); err != nil {
		return err
	}
	s.onClose("metrics", s.metrics.Close)
	s.mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	return nil
}

// traced gives a request the trace that its headers name.
func traced(r *http.Request) *http.Request {
	return r.WithContext(propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header)))
}
