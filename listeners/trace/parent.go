package trace

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/cloudbus-go/cloudbus/bus"
)

// withParent gives a context without a span the one whose trace it carries on.
func withParent(ctx context.Context) context.Context {
	if oteltrace.SpanContextFromContext(ctx).IsValid() {
		return ctx
	}
	return withRemote(ctx, bus.TraceParent(ctx))
}

// withRemote puts the span that a traceparent names into ctx. One that isn't valid names none.
func withRemote(ctx context.Context, traceParent string) context.Context {
	if traceParent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, &carrier{traceParent})
}

// remote is the span that a traceparent names.
func remote(traceParent string) oteltrace.SpanContext {
	return oteltrace.SpanContextFromContext(withRemote(context.Background(), traceParent))
}

// traceParent names a span.
func traceParent(sc oteltrace.SpanContext) string {
	var c carrier
	propagation.TraceContext{}.Inject(oteltrace.ContextWithSpanContext(context.Background(), sc), &c)
	return c.traceParent
}

// carrier is a header with room for a traceparent.
type carrier struct{ traceParent string }

const key = "traceparent"

func (c *carrier) Get(k string) string {
	if k == key {
		return c.traceParent
	}
	return ""
}

func (c *carrier) Set(k, value string) {
	if k == key {
		c.traceParent = value
	}
}

func (*carrier) Keys() []string { return []string{key} }

var _ propagation.TextMapCarrier = (*carrier)(nil)
