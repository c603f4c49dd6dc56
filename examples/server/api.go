package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
)

const (
	maxBody      = 1 << 20
	maxRequestID = 128
	maxStreams   = 256 // event streams at once
)

// api is the HTTP face of the server. Everything it says is JSON, errors too, drawings and event streams aside.
type api struct {
	engine    *resources.Engine
	journal   *journal.Journal
	store     *gormstore.Store
	data      string // where the data is: -data
	bus       *bus.Bus
	plugins   *plugins.Manager
	reports   *status.Ingest // nil: no provider reports here
	client    *bus.Client    // of the event streams
	log       *slog.Logger
	heartbeat time.Duration   // of an event stream that has nothing to say
	stopping  <-chan struct{} // closed when event streams are to end
	streams   chan struct{}   // one token for each event stream
	mux       *http.ServeMux  // plugins put their routes here too
}

// handler adds the server's own routes to the mux and returns what is to be served. Requests that a browser makes on behalf of
// another site are refused: whoever can reach this API may do everything.
func (a *api) handler() http.Handler {
	a.routes()
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		plugins.Respond(w, http.StatusForbidden, problem{Error: "requests from other sites are refused"})
	}))
	return guard.Handler(a)
}

func (a *api) routes() {
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /v1/resources":                   a.listKinds,
		"GET /v1/resources/{kind}":            a.listResources,
		"POST /v1/resources/{kind}":           a.acting(a.createResource),
		"GET /v1/resources/{kind}/{id}":       a.getResource,
		"PATCH /v1/resources/{kind}/{id}":     a.acting(a.updateResource),
		"POST /v1/resources/{kind}/{id}/fire": a.acting(a.fireTrigger),
		"GET /v1/events":                      a.events,
		"GET /v1/actions":                     a.listActions,
		"GET /v1/machines":                    a.listKinds,
		"GET /v1/machines/{kind}":             a.drawMachine,
		"GET /v1/queues":                      a.listQueues,
		"GET /v1/queues/{name}/parked":        a.listParked,
		"GET /v1/queues/{name}/parked/events": a.listParkedEvents,
		"POST /v1/queues/{name}/replay":       a.replayParked,
		"POST /v1/queues/{name}/discard":      a.discardParked,
		"POST /v1/backup":                     a.makeBackup,
		"GET /healthz":                        a.alive,
		"GET /readyz":                         a.ready,
	} {
		a.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := h(w, r); err != nil {
				a.fail(w, r, err)
			}
		})
	}
}

// ServeHTTP gives a request its id, which becomes the correlation id of all that it causes, and answers it. A panic ends
// the request, not the server.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("X-Request-ID")
	if !validRequestID(id) {
		id = bus.NewID(time.Now()).String()
	}
	w.Header().Set("X-Request-ID", id)
	r = traced(r.WithContext(bus.ContextWithCorrelation(r.Context(), id)))
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v == http.ErrAbortHandler { //nolint:errorlint // what net/http compares with
			panic(v) // net/http's own way to drop a connection
		}
		a.log.Error("http: panic", "method", r.Method, "path", r.URL.Path, "request", id, "panic", v, "stack", string(debug.Stack()))
		plugins.Respond(w, http.StatusInternalServerError, problem{Error: "internal error, see the server's log for request " + id})
	}()
	if handler, pattern := a.mux.Handler(r); pattern == "" {
		a.unrouted(w, r, handler)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	a.mux.ServeHTTP(w, r)
}

// unrouted says in JSON what the mux says in plain text: no such path, or no such method for it.
func (a *api) unrouted(w http.ResponseWriter, r *http.Request, handler http.Handler) {
	said := verdict{header: http.Header{}}
	handler.ServeHTTP(&said, r)
	if said.status < http.StatusBadRequest { // a redirect to a path without // or ..: nobody means those
		said.status = http.StatusNotFound
	}
	p := problem{Error: fmt.Sprintf("no such path: %s", r.URL.Path)}
	if allow := said.header.Get("Allow"); allow != "" {
		w.Header().Set("Allow", allow)
		p = problem{Error: fmt.Sprintf("%s isn't possible here", r.Method), Allowed: strings.Split(allow, ", ")}
	}
	plugins.Respond(w, said.status, p)
}

// verdict is a ResponseWriter that keeps status and header only.
type verdict struct {
	header http.Header
	status int
}

func (v *verdict) Header() http.Header         { return v.header }
func (v *verdict) Write(b []byte) (int, error) { return len(b), nil }
func (v *verdict) WriteHeader(status int)      { v.status = status }

func validRequestID(id string) bool {
	for i := range len(id) {
		if id[i] <= ' ' || id[i] >= 0x7f {
			return false
		}
	}
	return id != "" && len(id) <= maxRequestID
}
