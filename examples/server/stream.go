package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// streamPatience is how long a client may take to read one event before it is cut off.
const streamPatience = 30 * time.Second

// stream sends events as they come, as server-sent events: id is the number in the journal, event the type. It begins after
// the event that Last-Event-ID or "after" names, or at the present.
//
// The subscription reads the journal, so nothing is missed, and holds nothing in memory: a slow reader makes it fall behind
// and nobody else.
func (a *api) stream(w http.ResponseWriter, r *http.Request, p params) error {
	options, err := a.streamOptions(r, p)
	if err != nil {
		return err
	}
	select {
	case a.streams <- struct{}{}:
		defer func() { <-a.streams }()
	default:
		return &requestError{http.StatusServiceUnavailable, fmt.Sprintf("there are %d event streams already", cap(a.streams)), nil}
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	events, err := bus.Channel[bus.Raw](ctx, a.client, options...)
	if err != nil {
		return err
	}
	a.pass(w, events)
	cancel()
	for range events { // until the subscription has ended
	}
	return nil
}

// pass writes events until the client leaves, the server stops or the subscription ends.
func (a *api) pass(w http.ResponseWriter, events <-chan bus.Event[bus.Raw]) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := eventWriter{w: w, control: http.NewResponseController(w)}
	out.comment("hello")
	heartbeat := time.NewTicker(a.heartbeat)
	defer heartbeat.Stop()
	for out.err == nil {
		select {
		case e, open := <-events:
			if !open {
				return
			}
			out.event(e)
		case <-heartbeat.C:
			out.comment("still here")
		case <-a.stopping:
			return
		}
	}
}

// streamOptions are the filters and the position that a request asks for.
func (a *api) streamOptions(r *http.Request, p params) ([]bus.Option, error) {
	a.checkAddress(&p)
	for _, name := range []string{"until", "before", "order", "limit"} {
		if p.has(name) {
			p.refuse([]string{"type", "kind", "id", "tenant", "actor", "correlation", "since", "after"}, "parameter %q isn't for a stream", name)
		}
	}
	options := []bus.Option{bus.Name("stream " + r.RemoteAddr), bus.Where(headerFilter(&p))}
	for _, pattern := range p.texts("type") {
		options = append(options, bus.Type(pattern))
	}
	if p.has("tenant") {
		options = append(options, bus.Tenant(p.text("tenant")))
	}
	if p.has("id") {
		options = append(options, bus.Resource(p.text("kind"), p.text("id")))
	}
	from, err := a.position(r, &p)
	if p.err != nil {
		err = p.err
	}
	return append(options, from), err
}

// headerFilter checks what the bus has no filter of its own for.
func headerFilter(p *params) func(bus.Header) bool {
	kind, actor, correlation := p.text("kind"), p.text("actor"), p.text("correlation")
	return func(h bus.Header) bool {
		return (kind == "" || kind == h.Kind) && (actor == "" || actor == h.Actor) && (correlation == "" || correlation == h.CorrelationID)
	}
}

// position is where a stream begins. Last-Event-ID goes first: a browser that connects again adds it to the address it had.
func (a *api) position(r *http.Request, p *params) (bus.Option, error) {
	_, last, err := a.journal.Bounds(r.Context())
	if err != nil {
		return nil, err
	}
	if p.has("since") && p.has("after") {
		p.refuse(nil, `a stream begins at one place: give "since" or "after"`)
	}
	since := p.time("since")
	name, given := `header "Last-Event-ID"`, r.Header.Get("Last-Event-ID")
	if given == "" {
		name, given = `parameter "after"`, p.text("after")
	}
	switch {
	case given == "" && !since.IsZero():
		return bus.From(since), nil
	case given == "":
		return bus.From(last), nil
	}
	after, err := strconv.ParseUint(given, 10, 63)
	if err != nil {
		return nil, badRequest(nil, "%s: %q isn't a number from 0", name, given)
	}
	if after > last {
		return nil, badRequest(nil, "%s: %d is beyond the newest event, %d", name, after, last)
	}
	return bus.From(after), nil
}

// eventWriter writes server-sent events; after its first error it writes no more.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	err     error
}

func (o *eventWriter) event(e bus.Event[bus.Raw]) {
	data, err := json.Marshal(viewOf(e.Header, e.Payload))
	if err != nil {
		o.err = err
		return
	}
	if e.Seq > 0 { // a live event is no place to resume from
		o.printf("id: %d\n", e.Seq)
	}
	o.printf("event: %s\ndata: %s\n\n", e.Type, data)
	o.flush()
}

func (o *eventWriter) comment(text string) {
	o.printf(": %s\n\n", text)
	o.flush()
}

func (o *eventWriter) printf(format string, v ...any) {
	if o.err == nil {
		_ = o.control.SetWriteDeadline(time.Now().Add(streamPatience)) // not every ResponseWriter has one
		_, o.err = fmt.Fprintf(o.w, format, v...)
	}
}

func (o *eventWriter) flush() {
	if o.err == nil {
		o.err = o.control.Flush()
	}
}
