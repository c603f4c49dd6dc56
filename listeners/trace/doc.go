// Package trace makes OpenTelemetry spans of what an engine does, and has traces go through the bus: from the request to the change, from
// its event to the handlers, and to what they fire.
//
//	tracing := trace.Options{TracerProvider: provider}
//	b := bus.New(bus.Options{Around: trace.Around(tracing), ...})
//	engine, err := resources.New(resources.Options{Listeners: []resources.Listener{trace.New(tracing), listeners.Post(), ...}})
//
// It needs the OpenTelemetry API alone. Without an SDK there are no spans, and next to no cost, but a trace that comes with a request
// (propagation.TraceContext) still goes through events and handlers, and out again.
//
// # Calls
//
// Each Create, Fire and Update is a span: "create vm", "fire vm start_requested", "update vm". Its parent is the span in the caller's context;
// without one, the trace that the context carries on (bus.TraceParent): the cause's. The events of the change carry the span as their
// TraceParent. Attributes: cloudbus.kind, .id, .tenant, .actor, .trigger, .from, .to, .version, .event_id and .result (listeners.Result).
// The span is an error's only if the server is to blame (Result.Fault). A refusal, a veto or a conflict is an answer: the text is in
// cloudbus.reason.
//
// A CreateBatch is a span for each resource, since each is a change with its event; they lie beside one another in the caller's span.
// Purge makes none: a clean-up of a hundred thousand resources would be as many traces. Nor do reports that a resource is stuck; their
// events name the operation that doesn't end as their cause.
//
// # Handlers
//
// Around makes a span of each call of a handler: "handle vm.state.running", a consumer, child of the event's TraceParent, or with
// Options.Linked a trace of its own that links to it. What the handler publishes, appends and fires with its context carries that on. A batch
// of several events (journal.Subscribe) is a span named after its subscription, in a trace of its own, with links to those of its events;
// what is done with bus.ContextWithCause carries on that event's trace. What has no handler, such as bus.Stream, has no span: use
// bus.ContextWithCause, and what is fired carries the event's trace on.
//
// A handler's error or panic is the span's. An event's header has room for the traceparent only: tracestate and baggage end there.
package trace
