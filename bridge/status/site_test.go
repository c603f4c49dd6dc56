package status_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/bridge/transporttest"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/alerts"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/all"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

var quiet = slog.New(slog.DiscardHandler)

// clock is moved by tests.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// site is a server that takes reports.
type site struct {
	t         testing.TB
	clock     *clock
	store     *gormstore.Store
	bus       *bus.Bus
	engine    *resources.Engine
	refusals  *listeners.Refusals
	ingest    *status.Ingest
	watch     *alerts.Plugin
	manager   *plugins.Manager
	mux       *http.ServeMux
	transport bridge.Transport
	memory    *transporttest.Memory
	options   status.IngestOptions
	path      string
	more      []resources.Listener
	log       *slog.Logger // of the plugins
	sent      uint64       // letters that were published
}

// newSite makes a server, which start starts.
func newSite(t testing.TB) *site {
	s := &site{t: t, clock: &clock{t: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}, memory: transporttest.New(), log: quiet}
	s.transport = s.memory
	s.options.CheckEvery = time.Hour // tests look themselves
	if postgrestest.On() {
		s.path = postgrestest.Schema(t)
	}
	t.Cleanup(s.stop)
	return s
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) open() {
	s.t.Helper()
	var err error
	switch {
	case postgrestest.On():
		s.store, err = postgres.Open(s.path, postgres.Options{Logger: quiet, Now: s.clock.now})
	default:
		if s.path == "" {
			s.path = filepath.Join(s.t.TempDir(), "test.db")
		}
		s.store, err = sqlite.Open(s.path, sqlite.Options{Logger: quiet, Now: s.clock.now})
	}
	s.must(err)
	s.bus = bus.New(bus.Options{Logger: quiet, Source: "test", Journal: s.store.Journal(), Now: s.clock.now})
}

func (s *site) start() *site {
	s.t.Helper()
	s.open()
	var err error
	s.refusals = listeners.NewRefusals(s.store, listeners.RefusalOptions{Logger: quiet, Now: s.clock.now})
	s.options.Transport = s.transport
	listening := []resources.Listener{listeners.Post(), s.refusals}
	s.ingest, err = status.NewIngest(s.options)
	s.must(err)
	s.engine, err = resources.New(resources.Options{Store: s.store, Bus: s.bus, Logger: quiet, Listeners: append(append(listening, s.ingest.Listener()), s.more...)})
	s.must(err)
	s.must(all.Register(s.engine))
	s.ingest.Use(s.engine)
	s.watch = alerts.New(alerts.Options{Engine: s.engine})
	s.mux = http.NewServeMux()
	s.manager, err = plugins.NewManager(plugins.Options{Bus: s.bus, Logger: s.log, Now: s.clock.now, Mux: s.mux})
	s.must(err)
	s.must(s.manager.Add(s.ingest, plugins.Required()))
	s.must(s.manager.Add(s.watch, plugins.Required()))
	s.must(s.manager.Start(s.t.Context()))
	return s
}

func (s *site) stop() {
	if s.store == nil {
		return
	}
	ctx := context.Background()
	err := s.manager.Close(ctx)
	err = errors.Join(err, s.refusals.Close(ctx), s.bus.Close(ctx), s.store.Close(ctx))
	s.store = nil
	if err != nil {
		s.t.Error(err)
	}
}

func (s *site) restart() {
	s.t.Helper()
	s.stop()
	s.start()
}

// until waits for a condition.
func (s *site) until(what string, holds func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited in vain until %s: %+v, health: %v", what, s.ingest.Stats(), s.ingest.Health(context.Background()))
		}
		<-time.After(time.Millisecond)
	}
}

func done(c status.IngestStats) (n uint64) {
	n = c.Applied + c.Held + c.Stale + c.Duplicate
	for _, r := range c.Rejected {
		n += r
	}
	return n
}

// publish sends letters and waits until they are dealt with.
func (s *site) publish(letters ...bridge.Letter) {
	s.t.Helper()
	before := done(s.ingest.Stats())
	for _, l := range letters {
		s.must(s.transport.Publish(s.t.Context(), l))
	}
	s.until("the letters are dealt with", func() bool { return done(s.ingest.Stats()) >= before+uint64(len(letters)) })
}

func (s *site) vm(id string, on ...fsm.Trigger) {
	s.t.Helper()
	h, err := s.engine.Kind("vm")
	s.must(err)
	_, err = h.Create(s.t.Context(), &vm.VM{Object: resources.Object{ID: id, Tenant: "acme"}})
	s.must(err)
	s.fire(id, on...)
}

func (s *site) fire(id string, on ...fsm.Trigger) {
	s.t.Helper()
	h, err := s.engine.Kind("vm")
	s.must(err)
	for _, on := range on {
		_, err := h.Fire(s.t.Context(), id, on)
		s.must(err)
	}
}

func (s *site) state(kind, id string) fsm.State {
	s.t.Helper()
	h, err := s.engine.Kind(kind)
	s.must(err)
	obj, err := h.Get(s.t.Context(), id)
	if errors.Is(err, resources.ErrNotFound) {
		return "none"
	}
	s.must(err)
	return resources.ObjectOf(obj).State
}

// seen is the observed status of a resource, "none" if there is none.
func (s *site) seen(kind, id string) string {
	s.t.Helper()
	o, err := s.ingest.Observed(s.t.Context(), kind, id)
	if errors.Is(err, resources.ErrNotFound) {
		return "none"
	}
	s.must(err)
	return string(o.Status)
}

// events lists the types of recorded events that a pattern matches.
func (s *site) events(pattern string) []string {
	s.t.Helper()
	records, err := s.bus.Journal().(*journal.Journal).Query(s.t.Context(), journal.Query{Type: pattern})
	s.must(err)
	all := []string{}
	for _, r := range records {
		all = append(all, r.ResourceID+" "+r.Type)
	}
	return all
}

// activeAlerts lists what is raised and not cleared, as "name resource".
func (s *site) activeAlerts() []string {
	s.t.Helper()
	s.must(s.bus.Flush(s.t.Context()))
	found, _, err := s.watch.List(s.t.Context(), alerts.Query{Active: true})
	s.must(err)
	names := []string{}
	for _, a := range found {
		names = append(names, a.Name+" "+a.ResourceID)
	}
	return names
}

// call makes a request to the server, and decodes the answer.
func (s *site) call(method, path, body string, into any) int {
	s.t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, nil)
	if body != "" {
		r = httptest.NewRequest(method, path, stringReader(body))
	}
	s.mux.ServeHTTP(w, r)
	if into != nil && w.Code < 300 {
		s.must(json.Unmarshal(w.Body.Bytes(), into))
	}
	return w.Code
}

// told is an observation as a provider sends it.
type told struct {
	id, source, kind, resource, status string
	at                                 time.Time
	sequence                           int64
}

func (r told) letter() bridge.Letter {
	service := r.kind
	body := map[string]any{
		"specversion": "1.0", "id": r.id, "source": r.source, "type": "dcm.status." + service, "time": r.at.UTC().Format(time.RFC3339Nano),
		"datacontenttype": "application/json", "data": map[string]any{"id": r.resource, "status": r.status, "message": "said by a test"},
	}
	if r.sequence > 0 {
		body["sequence"] = fmt.Sprintf("%020d", r.sequence)
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return bridge.Letter{
		ID: r.id, Subject: "dcm." + service, Data: text,
		Header: map[string][]string{"Content-Type": {bridge.ContentType}, "Nats-Msg-Id": {r.id}},
	}
}
