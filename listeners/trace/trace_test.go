package trace_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/goleak"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/listeners/trace"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const request = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// rig is an engine in memory whose spans are recorded.
type rig struct {
	t      *testing.T
	spans  *tracetest.SpanRecorder
	tracer oteltrace.Tracer
	store  *memstore.Store
	bus    *bus.Bus
	vms    *resources.Kind[vm.VM]
}

func newRig(t *testing.T, o trace.Options, more ...resources.Listener) *rig {
	t.Helper()
	r := &rig{t: t, spans: tracetest.NewSpanRecorder(), store: memstore.New(memstore.Options{})}
	if o.TracerProvider == nil {
		o.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r.spans))
	}
	r.tracer = o.TracerProvider.Tracer("test")
	quiet := slog.New(slog.DiscardHandler)
	r.bus = bus.New(bus.Options{Logger: quiet, Source: "test", Journal: r.store.Journal(), Around: trace.Around(o)})
	t.Cleanup(func() {
		if err := r.bus.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	engine, err := resources.New(resources.Options{
		Store: r.store, Bus: r.bus, Logger: quiet, Listeners: append([]resources.Listener{trace.New(o), listeners.Post()}, more...),
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.vms, err = resources.Register[vm.VM](engine, vm.Machine); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) create(ctx context.Context, id string) {
	r.t.Helper()
	if _, err := r.vms.Create(ctx, vm.VM{Object: resources.Object{ID: id, Tenant: "acme"}}, resources.Actor("user:1")); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) fire(ctx context.Context, id string, on fsm.Trigger) error {
	_, err := r.vms.Fire(ctx, id, on)
	return err
}

func (r *rig) records() []bus.Record {
	r.t.Helper()
	all, err := r.store.Journal().Read(context.Background(), 0, 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// span returns the only one of that name that has ended.
func (r *rig) span(name string) sdktrace.ReadOnlySpan {
	r.t.Helper()
	var found sdktrace.ReadOnlySpan
	var names []string
	for _, s := range r.spans.Ended() {
		names = append(names, s.Name())
		if s.Name() == name {
			if found != nil {
				r.t.Fatalf("two spans %q", name)
			}
			found = s
		}
	}
	if found == nil {
		r.t.Fatalf("no span %q (there are: %s)", name, strings.Join(names, ", "))
	}
	return found
}

func (r *rig) flush() {
	r.t.Helper()
	if err := r.bus.Flush(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

func attributes(s sdktrace.ReadOnlySpan) map[attribute.Key]string {
	all := map[attribute.Key]string{}
	for _, a := range s.Attributes() {
		all[a.Key] = a.Value.String()
	}
	return all
}

func wantAttributes(t *testing.T, s sdktrace.ReadOnlySpan, want map[attribute.Key]string) {
	t.Helper()
	got := attributes(s)
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s: %s is %q, want %q", s.Name(), k, got[k], v)
		}
	}
}

// traceParent is how a span is named in headers.
func traceParent(sc oteltrace.SpanContext) string {
	c := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(oteltrace.ContextWithSpanContext(context.Background(), sc), c)
	return c["traceparent"]
}

func wantChild(t *testing.T, child, parent sdktrace.ReadOnlySpan) {
	t.Helper()
	if child.SpanContext().TraceID() != parent.SpanContext().TraceID() || child.Parent().SpanID() != parent.SpanContext().SpanID() {
		t.Errorf("%q is no child of %q", child.Name(), parent.Name())
	}
}

func TestEachCallIsASpanAndItsEventNamesIt(t *testing.T) {
	r := newRig(t, trace.Options{})
	ctx, outer := r.tracer.Start(t.Context(), "request")
	r.create(ctx, "a")
	if err := r.fire(ctx, "a", vm.StartRequested); err != nil {
		t.Fatal(err)
	}
	if _, err := r.vms.Update(ctx, "a", func(v *vm.VM) error { v.CPUs = 8; return nil }); err != nil {
		t.Fatal(err)
	}
	outer.End()
	request := r.span("request")
	for i, name := range []string{"create vm", "fire vm start_requested", "update vm"} {
		s, e := r.span(name), r.records()[i]
		wantChild(t, s, request)
		if want := traceParent(s.SpanContext()); e.TraceParent != want {
			t.Errorf("%s: its event has %q, want %q", name, e.TraceParent, want)
		}
		wantAttributes(t, s, map[attribute.Key]string{"cloudbus.kind": "vm", "cloudbus.id": "a", "cloudbus.event_id": e.ID.String(), "cloudbus.tenant": "acme"})
		if s.Status().Code != codes.Unset {
			t.Errorf("%s: status %v", name, s.Status())
		}
	}
	wantAttributes(t, r.span("create vm"), map[attribute.Key]string{"cloudbus.actor": "user:1", "cloudbus.result": "created", "cloudbus.to": "stopped"})
	wantAttributes(t, r.span("fire vm start_requested"), map[attribute.Key]string{
		"cloudbus.trigger": "start_requested", "cloudbus.from": "stopped", "cloudbus.to": "starting", "cloudbus.version": "2", "cloudbus.result": "moved",
	})
}

func TestARefusalIsNoErrorOfTheServer(t *testing.T) {
	broken := errors.New("quota service on fire")
	strict := listeners.Funcs{
		ListenerName: "strict",
		OnBefore: func(_ context.Context, c resources.Change) error {
			if c.Trigger == vm.MigrationRequested {
				panic("oh")
			}
			if c.Trigger == vm.StartRequested {
				return broken
			}
			return nil
		},
	}
	r := newRig(t, trace.Options{}, strict)
	r.create(t.Context(), "a")
	for _, c := range []struct {
		id      string
		trigger fsm.Trigger
		span    string
		result  string
		fault   bool
	}{
		{"a", vm.PauseRequested, "", "refused", false},
		{"a", vm.StartRequested, "", "vetoed", false},
		{"a", vm.MigrationRequested, "", "panicked", true},
		{"a", "'; drop table vms", "", "invalid", false},
		{"nobody", vm.StopRequested, "", "not_found", false},
	} {
		r.spans.Reset()
		err := r.fire(t.Context(), c.id, c.trigger)
		s := r.span("fire vm") // none of the triggers was accepted yet
		wantAttributes(t, s, map[attribute.Key]string{"cloudbus.result": c.result, "cloudbus.trigger": string(c.trigger)})
		if got := s.Status().Code == codes.Error; got != c.fault {
			t.Errorf("%s: status %v", c.trigger, s.Status())
		}
		if reason := attributes(s)["cloudbus.reason"]; !c.fault && reason != err.Error() {
			t.Errorf("%s: reason %q, want %q", c.trigger, reason, err)
		}
		if c.fault != (len(s.Events()) == 1) {
			t.Errorf("%s: %d events", c.trigger, len(s.Events()))
		}
	}
	if err := r.fire(t.Context(), "a", vm.ReportStopped); err != nil { // nothing to do
		t.Fatal(err)
	}
	wantAttributes(t, r.span("fire vm report_stopped"), map[attribute.Key]string{"cloudbus.result": "unchanged"})
	r.spans.Reset()
	if err := r.fire(t.Context(), "nobody", vm.ReportStopped); err == nil {
		t.Fatal("fired")
	}
	r.span("fire vm report_stopped") // a machine has accepted it once
}

func TestHandlersCarryTheTraceOn(t *testing.T) {
	r := newRig(t, trace.Options{})
	failed := false
	_, err := bus.Subscribe(r.bus.Client("hypervisor"), func(ctx context.Context, e bus.Event[vm.Changed]) error {
		if e.Payload.To != vm.Starting {
			return nil
		}
		if !failed {
			failed = true
			return errors.New("busy")
		}
		return r.fire(ctx, e.ResourceID, vm.OperationSucceeded)
	}, bus.Durable("hypervisor"), bus.Retry(3, 1))
	if err != nil {
		t.Fatal(err)
	}
	r.create(t.Context(), "a")
	r.flush()
	r.spans.Reset()
	if err := r.fire(t.Context(), "a", vm.StartRequested); err != nil {
		t.Fatal(err)
	}
	r.flush()
	r.flush() // what the handler has fired, too
	fired, done := r.span("fire vm start_requested"), r.span("fire vm operation_succeeded")
	var tries []sdktrace.ReadOnlySpan
	for _, s := range r.spans.Ended() {
		if s.Name() == "handle vm.state.starting" {
			tries = append(tries, s)
		}
	}
	if len(tries) != 2 {
		t.Fatalf("%d spans of the handler, want 2", len(tries))
	}
	if tries[0].Status().Code != codes.Error || tries[0].Status().Description != "busy" || tries[1].Status().Code != codes.Unset {
		t.Errorf("statuses %v, %v", tries[0].Status(), tries[1].Status())
	}
	for _, s := range tries {
		wantChild(t, s, fired)
		if s.SpanKind() != oteltrace.SpanKindConsumer {
			t.Errorf("kind %v", s.SpanKind())
		}
		wantAttributes(t, s, map[attribute.Key]string{
			"cloudbus.subscription": "hypervisor", "cloudbus.event_type": "vm.state.starting", "cloudbus.event_number": "2", "cloudbus.id": "a",
		})
	}
	wantChild(t, done, tries[1])
	wantChild(t, r.span("handle vm.state.running"), done)
}

func TestLinkedHandlersBeginTracesOfTheirOwn(t *testing.T) {
	r := newRig(t, trace.Options{Linked: true})
	_, err := bus.Subscribe(r.bus.Client("c"), func(context.Context, bus.Event[vm.Changed]) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	r.create(t.Context(), "a")
	r.flush()
	created, handled := r.span("create vm"), r.span("handle vm.created")
	if handled.SpanContext().TraceID() == created.SpanContext().TraceID() || handled.Parent().IsValid() {
		t.Error("the handler's span is in the trace of the event")
	}
	if links := handled.Links(); len(links) != 1 || links[0].SpanContext.SpanID() != created.SpanContext().SpanID() {
		t.Errorf("links %v", handled.Links())
	}
}

func TestABatchLinksToItsEvents(t *testing.T) {
	r := newRig(t, trace.Options{})
	begun, goOn := make(chan struct{}, 100), make(chan struct{})
	largest := 0
	var inside string
	_, err := bus.SubscribeBatch(r.bus.Client("c"), "ledger", func(ctx context.Context, b bus.Batch[vm.Changed]) error {
		begun <- struct{}{}
		<-goOn
		if len(b.Events) > largest {
			largest, inside = len(b.Events), bus.TraceParent(ctx)
			if of := bus.TraceParent(bus.ContextWithCause(ctx, b.Events[0].Header)); of != b.Events[0].TraceParent {
				t.Errorf("with the cause of one: %q, want %q", of, b.Events[0].TraceParent)
			}
		}
		return r.store.Journal().SetCursor(ctx, "ledger", b.To)
	})
	if err != nil {
		t.Fatal(err)
	}
	r.create(t.Context(), "first")
	<-begun
	for _, id := range []string{"a", "b", "c"} {
		r.create(t.Context(), id)
	}
	close(goOn)
	r.flush()
	var batch sdktrace.ReadOnlySpan
	for _, s := range r.spans.Ended() {
		if s.Name() == "handle ledger" {
			batch = s
		}
	}
	if batch == nil || len(batch.Links()) != largest || largest < 2 || batch.Parent().IsValid() {
		t.Fatalf("the span of a batch of %d: %v", largest, batch)
	}
	if want := traceParent(batch.SpanContext()); inside != want {
		t.Errorf("in the batch the trace is %q, want %q", inside, want)
	}
	linked := map[string]bool{}
	for _, l := range batch.Links() {
		linked[traceParent(l.SpanContext)] = true
	}
	for _, rec := range r.records()[len(r.records())-largest:] {
		if !linked[rec.TraceParent] {
			t.Errorf("no link to the span of event %d", rec.Seq)
		}
	}
}

func TestBatchesAndPurges(t *testing.T) {
	r := newRig(t, trace.Options{})
	ctx, outer := r.tracer.Start(t.Context(), "request")
	if _, err := r.vms.CreateBatch(ctx, []vm.VM{{Object: resources.Object{ID: "a"}}, {Object: resources.Object{ID: "b"}}}); err != nil {
		t.Fatal(err)
	}
	outer.End()
	var created []sdktrace.ReadOnlySpan
	for _, s := range r.spans.Ended() {
		if s.Name() == "create vm" {
			created = append(created, s)
			wantChild(t, s, r.span("request"))
		}
	}
	if len(created) != 2 {
		t.Fatalf("%d spans", len(created))
	}
	for i, rec := range r.records() {
		if want := traceParent(created[i].SpanContext()); rec.TraceParent != want {
			t.Errorf("event %d: %q, want %q", rec.Seq, rec.TraceParent, want)
		}
	}
	for _, on := range []fsm.Trigger{vm.ExpungeRequested, vm.OperationSucceeded} {
		if err := r.fire(ctx, "a", on); err != nil {
			t.Fatal(err)
		}
	}
	r.spans.Reset()
	if done, err := r.vms.Purge(t.Context(), 0); err != nil || done.Removed != 1 {
		t.Fatal(done, err)
	}
	if n := len(r.spans.Started()); n != 0 {
		t.Errorf("a purge made %d spans", n)
	}
}

// A listener that fires at another resource: its call's span is a child, and ends by itself.
func TestACallWithinACall(t *testing.T) {
	var r *rig
	within := listeners.Funcs{ListenerName: "within", OnBefore: func(ctx context.Context, c resources.Change) error {
		if c.ResourceID == "a" && c.Trigger == vm.StartRequested {
			return r.fire(ctx, "b", vm.DestroyRequested)
		}
		return nil
	}}
	r = newRig(t, trace.Options{}, within)
	r.create(t.Context(), "a")
	r.create(t.Context(), "b")
	if err := r.fire(t.Context(), "a", vm.StartRequested); err != nil {
		t.Fatal(err)
	}
	outer, inner := r.span("fire vm start_requested"), r.span("fire vm destroy_requested")
	wantChild(t, inner, outer)
	wantAttributes(t, outer, map[attribute.Key]string{"cloudbus.id": "a", "cloudbus.result": "moved"})
	wantAttributes(t, inner, map[attribute.Key]string{"cloudbus.id": "b", "cloudbus.result": "moved"})
}

func TestAHandlerThatPanicsEndsItsSpan(t *testing.T) {
	r := newRig(t, trace.Options{})
	_, err := bus.Subscribe(r.bus.Client("c"), func(context.Context, bus.Event[vm.Changed]) error { panic("oh") })
	if err != nil {
		t.Fatal(err)
	}
	r.create(t.Context(), "a")
	r.flush()
	if s := r.span("handle vm.created"); s.Status().Code != codes.Error {
		t.Errorf("status %v", s.Status())
	}
}

// Without an SDK a trace that comes from outside goes through events, handlers and what they fire.
func TestATraceGoesThroughWithoutAnSDK(t *testing.T) {
	for name, provider := range map[string]oteltrace.TracerProvider{"the global one": nil, "noop": noop.NewTracerProvider()} {
		t.Run(name, func(t *testing.T) {
			o := trace.Options{TracerProvider: provider}
			if provider == nil {
				o.TracerProvider = globalProvider()
			}
			r := newRig(t, o)
			_, err := bus.Subscribe(r.bus.Client("hypervisor"), func(ctx context.Context, e bus.Event[vm.Changed]) error {
				if e.Payload.To != vm.Starting {
					return nil
				}
				return r.fire(ctx, e.ResourceID, vm.OperationSucceeded)
			}, bus.Durable("hypervisor"))
			if err != nil {
				t.Fatal(err)
			}
			r.create(t.Context(), "a")
			ctx := propagation.TraceContext{}.Extract(t.Context(), propagation.MapCarrier{"traceparent": request})
			if err := r.fire(ctx, "a", vm.StartRequested); err != nil {
				t.Fatal(err)
			}
			r.flush()
			for i, want := range []string{"", request, request} {
				if got := r.records()[i]; got.TraceParent != want {
					t.Errorf("event %d (%s) has trace %q, want %q", got.Seq, got.Type, got.TraceParent, want)
				}
			}
		})
	}
}

// What isn't sampled isn't recorded anywhere in the trace, and still carried on.
func TestATraceThatIsNotSampledGoesThrough(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	r := newRig(t, trace.Options{TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans), sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.NeverSample())))})
	_, err := bus.Subscribe(r.bus.Client("c"), func(ctx context.Context, e bus.Event[vm.Changed]) error {
		if e.Payload.Action == resources.Created {
			return r.fire(ctx, e.ResourceID, vm.StartRequested)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r.create(t.Context(), "a")
	r.flush()
	all := r.records()
	if len(all) != 2 || all[0].TraceParent == "" || all[1].TraceParent[:35] != all[0].TraceParent[:35] || !strings.HasSuffix(all[1].TraceParent, "-00") {
		t.Errorf("traces %q, %q", all[0].TraceParent, all[1].TraceParent)
	}
	if n := len(spans.Started()); n != 0 {
		t.Errorf("%d spans", n)
	}
}

// An event from elsewhere may have anything in its header.
func TestAForeignTraceParentIsIgnored(t *testing.T) {
	r := newRig(t, trace.Options{})
	ctx := bus.ContextWithCause(t.Context(), bus.Header{ID: bus.ID{1}, Type: "a.b", TraceParent: "00-nonsense"})
	r.create(ctx, "a")
	if s := r.span("create vm"); s.Parent().IsValid() {
		t.Errorf("its parent is %v", s.Parent())
	}
	ctx = bus.ContextWithCause(t.Context(), bus.Header{ID: bus.ID{1}, Type: "a.b", TraceParent: request})
	if err := r.fire(ctx, "a", vm.StartRequested); err != nil {
		t.Fatal(err)
	}
	if s := r.span("fire vm start_requested"); traceParent(s.Parent()) != request {
		t.Errorf("its parent is %v", s.Parent())
	}
}

func TestListenerHasAName(t *testing.T) {
	if name := trace.New(trace.Options{}).Name(); name != "trace" {
		t.Errorf("its name is %q", name)
	}
}
