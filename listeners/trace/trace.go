package trace

import (
	"context"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
)

const scope = "github.com/cloudbus-go/cloudbus/listeners/trace"

// Options of New and Around. The zero value works.
type Options struct {
	// TracerProvider makes the tracer. Defaults to OpenTelemetry's global one, also if that is set later.
	TracerProvider oteltrace.TracerProvider
	// Linked has a handler's span begin a trace of its own that links to the event's: for handlers that come long after the event, or
	// thousands of them. Defaults to a child of the event's span.
	Linked bool
}

func (o Options) tracer() oteltrace.Tracer {
	if o.TracerProvider == nil {
		return otel.Tracer(scope)
	}
	return o.TracerProvider.Tracer(scope)
}

// New returns the listener that makes a span of each Create, Fire and Update. It should be the first: what others do is in the span then.
func New(o Options) resources.Listener {
	l := &listener{tracer: o.tracer()}
	l.forms.Store(&map[call]*form{})
	return l
}

type listener struct {
	tracer oteltrace.Tracer
	mu     sync.Mutex                     // for those who replace forms
	forms  atomic.Pointer[map[call]*form] // of calls that a machine has accepted once: others may be made of anything
}

// call is what spans have in common.
type call struct {
	verb, kind string
	trigger    fsm.Trigger
}

func callOf(c *resources.Change) call {
	switch {
	case c.Trigger != "" || c.Action == resources.Moved:
		return call{"fire", c.Kind, c.Trigger}
	case c.Action == resources.Created:
		return call{"create", c.Kind, ""}
	default:
		return call{"update", c.Kind, ""}
	}
}

// form is how a call's span begins.
type form struct {
	name    string
	options []oteltrace.SpanStartOption
}

func newForm(c call) *form {
	attributes := []attribute.KeyValue{attribute.String("cloudbus.kind", c.kind)}
	name := c.verb + " " + c.kind
	if c.trigger != "" {
		name += " " + string(c.trigger)
		attributes = append(attributes, attribute.String("cloudbus.trigger", string(c.trigger)))
	}
	return &form{name, []oteltrace.SpanStartOption{oteltrace.WithAttributes(attributes...)}}
}

// form returns that of a call, and whether a machine has accepted such a call before.
func (l *listener) form(c call) (f *form, known bool) {
	if f = (*l.forms.Load())[c]; f != nil {
		return f, true
	}
	return newForm(c), false
}

// learn keeps the form of a call that was accepted.
func (l *listener) learn(c call) {
	if _, known := (*l.forms.Load())[c]; known {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old := *l.forms.Load()
	next := make(map[call]*form, len(old)+1)
	for k, v := range old {
		next[k] = v
	}
	next[c] = newForm(c)
	l.forms.Store(&next)
}

// Name returns "trace".
func (*listener) Name() string { return "trace" }

// Begin starts the span.
func (l *listener) Begin(ctx context.Context, c resources.Change) context.Context {
	if c.Action == resources.Removed {
		return ctx
	}
	f, _ := l.form(callOf(&c))
	started, span := l.tracer.Start(withParent(ctx), f.name, f.options...)
	sc := span.SpanContext()
	if !sc.IsValid() {
		return ctx
	}
	if !span.IsRecording() {
		return &spanContext{Context: bus.ContextWithTraceParent(started, traceParent(sc))}
	}
	span.SetAttributes(who(&c)...)
	return &spanContext{bus.ContextWithTraceParent(started, traceParent(sc)), span}
}

// After ends the span.
func (l *listener) After(ctx context.Context, c resources.Change, err error) {
	if c.Action == resources.Removed {
		return
	}
	form := callOf(&c)
	if err == nil {
		l.learn(form)
	}
	own, _ := ctx.Value(spanKey{}).(*spanContext)
	if own == nil || own.span == nil {
		return
	}
	span, result := own.span, listeners.ResultOf(c, err)
	defer span.End()
	span.SetAttributes(attribute.String("cloudbus.result", string(result)))
	if err == nil {
		span.SetAttributes(what(&c)...)
		return
	}
	if _, known := l.form(form); !known && form.trigger != "" {
		span.SetName(form.verb + " " + form.kind) // nobody knows whether there is such a trigger
	}
	if !result.Fault() {
		span.SetAttributes(attribute.String("cloudbus.reason", err.Error()))
		return
	}
	span.RecordError(err)
	span.SetStatus(codes.Error, err.Error())
}

// who are the attributes that are known at the beginning.
func who(c *resources.Change) []attribute.KeyValue {
	return texts(nil, "cloudbus.id", c.ResourceID, "cloudbus.tenant", c.Tenant, "cloudbus.actor", c.Actor)
}

// what are those of an outcome.
func what(c *resources.Change) []attribute.KeyValue {
	all := texts(make([]attribute.KeyValue, 0, 6), "cloudbus.id", c.ResourceID, "cloudbus.tenant", c.Tenant,
		"cloudbus.from", string(c.From), "cloudbus.to", string(c.To))
	all = append(all, attribute.Int64("cloudbus.version", int64(c.Version)))
	if !c.ID.IsZero() {
		all = append(all, attribute.String("cloudbus.event_id", c.ID.String()))
	}
	return all
}

// texts adds pairs of a key and a value that isn't empty.
func texts(all []attribute.KeyValue, pairs ...string) []attribute.KeyValue {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			all = append(all, attribute.String(pairs[i], pairs[i+1]))
		}
	}
	return all
}

type spanKey struct{}

// spanContext is the context of a call; span is nil if it isn't recorded. Others may have put a span of theirs into one made of it.
type spanContext struct {
	context.Context
	span oteltrace.Span
}

func (c *spanContext) Value(key any) any {
	if key == (spanKey{}) {
		return c
	}
	return c.Context.Value(key)
}

var (
	_ resources.BeginListener = (*listener)(nil)
	_ resources.AfterListener = (*listener)(nil)
)
