package trace

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/cloudbus-go/cloudbus/bus"
)

// maxLinks is how many events of a batch its span links to, at most: as many as SDKs keep.
const maxLinks = 128

var errGoexit = errors.New("trace: the handler ended its goroutine or panicked")

// Around returns what makes a span of each call of a handler, for bus.Options.Around.
func Around(o Options) func(ctx context.Context, subscription string, h bus.Header, next func(context.Context) error) error {
	t := &handlers{tracer: o.tracer(), linked: o.Linked}
	return t.around
}

type handlers struct {
	tracer oteltrace.Tracer
	linked bool
}

var consumer = oteltrace.WithSpanKind(oteltrace.SpanKindConsumer)

func (t *handlers) around(ctx context.Context, subscription string, h bus.Header, next func(context.Context) error) (err error) {
	started, span := t.start(ctx, subscription, &h)
	sc := span.SpanContext()
	if !sc.IsValid() {
		return next(ctx)
	}
	returned := false
	defer func() {
		if !returned {
			fail(span, errGoexit)
		}
		span.End()
	}()
	if err = next(bus.ContextWithTraceParent(started, traceParent(sc))); err != nil && !errors.Is(err, bus.Stop) {
		fail(span, err)
	}
	returned = true
	return err
}

func fail(span oteltrace.Span, err error) {
	span.RecordError(err)
	span.SetStatus(codes.Error, err.Error())
}

// start begins the span of a handler. A batch without events, which only moves its cursor, has none.
func (t *handlers) start(ctx context.Context, subscription string, h *bus.Header) (context.Context, oteltrace.Span) {
	if !h.ID.IsZero() {
		return t.startOne(ctx, subscription, h)
	}
	causes := bus.Causes(ctx)
	if len(causes) == 0 {
		return ctx, oteltrace.SpanFromContext(context.Background())
	}
	ctx, span := t.tracer.Start(ctx, "handle "+subscription, consumer, oteltrace.WithNewRoot())
	if span.IsRecording() {
		span.SetAttributes(attribute.String("cloudbus.subscription", subscription), attribute.Int("cloudbus.events", len(causes)))
		link(span, causes)
	}
	return ctx, span
}

func (t *handlers) startOne(ctx context.Context, subscription string, h *bus.Header) (context.Context, oteltrace.Span) {
	name := "handle " + h.Type
	var span oteltrace.Span
	if t.linked {
		ctx, span = t.tracer.Start(ctx, name, consumer, oteltrace.WithNewRoot())
		link(span, []bus.Header{*h})
	} else {
		ctx, span = t.tracer.Start(withRemote(ctx, h.TraceParent), name, consumer)
	}
	if span.IsRecording() {
		span.SetAttributes(texts(nil, "cloudbus.subscription", subscription, "cloudbus.event_type", h.Type, "cloudbus.event_id", h.ID.String(),
			"cloudbus.kind", h.Kind, "cloudbus.id", h.ResourceID, "cloudbus.tenant", h.Tenant)...)
		if h.Seq > 0 {
			span.SetAttributes(attribute.Int64("cloudbus.event_number", int64(h.Seq)))
		}
	}
	return ctx, span
}

// link links a span to those of events, each once.
func link(span oteltrace.Span, events []bus.Header) {
	linked := map[oteltrace.SpanID]bool{}
	for i := range events {
		sc := remote(events[i].TraceParent)
		if !sc.IsValid() || linked[sc.SpanID()] || len(linked) == maxLinks {
			continue
		}
		linked[sc.SpanID()] = true
		span.AddLink(oteltrace.Link{SpanContext: sc})
	}
}
