package eventlog_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// A random walk reads a whole log page by page, forth and back: 40 of them, where rapid would take 100. The flag says otherwise.
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// noon is when tests begin.
var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

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

// said is an event with anything in it.
type said struct {
	typ, tenant, kind, id string
	data                  any
}

func (s said) EventType() string                  { return s.typ }
func (s said) Address() (tenant, kind, id string) { return s.tenant, s.kind, s.id }
func (s said) MarshalJSON() ([]byte, error)       { return json.Marshal(s.data) }
func (s *said) UnmarshalJSON(data []byte) error   { return json.Unmarshal(data, &s.data) }

// house is a server with a log.
type house struct {
	t       testing.TB
	clock   *clock
	store   *gormstore.Store
	bus     *bus.Bus
	mux     *http.ServeMux
	manager *plugins.Manager
	log     *eventlog.Plugin
}

// openBus opens a bus with a journal in a new database.
func openBus(t testing.TB, now func() time.Time) (*gormstore.Store, *bus.Bus) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	var store *gormstore.Store
	var err error
	if postgrestest.On() {
		store, err = postgres.Open(postgrestest.Schema(t), postgres.Options{Logger: quiet, Now: now})
	} else {
		store, err = sqlite.Open(filepath.Join(t.TempDir(), "test.db"), sqlite.Options{Logger: quiet, Now: now})
	}
	if err != nil {
		t.Fatal(err)
	}
	b := bus.New(bus.Options{Logger: quiet, Journal: store.Journal(), Now: now, Source: "cloudbus/test"})
	t.Cleanup(func() {
		if err := errors.Join(b.Close(context.Background()), store.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	for _, pattern := range []string{"vm.>", "volume.>", "usage.>", "alert.>", "action.>", "status.>"} {
		if err := bus.Register[said](b, pattern, 1); err != nil {
			t.Fatal(err)
		}
	}
	return store, b
}

func open(t testing.TB, config string) *house {
	t.Helper()
	h := &house{t: t, clock: &clock{t: noon}}
	h.store, h.bus = openBus(t, h.clock.now)
	h.start(config)
	return h
}

func (h *house) start(config string) {
	h.t.Helper()
	m, err := h.tryStart(config)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			h.t.Error(err)
		}
	})
}

func (h *house) tryStart(config string) (m *plugins.Manager, err error) {
	h.log, h.mux = eventlog.New(eventlog.Options{Linger: -1}), http.NewServeMux()
	h.manager, err = plugins.NewManager(plugins.Options{
		Bus: h.bus, Mux: h.mux, Logger: slog.New(slog.DiscardHandler), Config: map[string]json.RawMessage{eventlog.Name: json.RawMessage(config)},
	})
	if err != nil {
		return nil, err
	}
	if err := h.manager.Add(h.log, plugins.Required()); err != nil {
		return nil, err
	}
	return h.manager, h.manager.Start(h.t.Context())
}

func (h *house) stop() {
	h.t.Helper()
	if err := h.manager.Close(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// news is what a test lets happen.
type news struct {
	said
	actor, correlation, causation string
	id                            bus.ID // the zero ID: a new one
	ago                           time.Duration
}

// record records events, in one transaction, and waits until the log has them.
func (h *house) record(all ...news) []bus.ID {
	h.t.Helper()
	ids := h.append(all...)
	h.settle()
	return ids
}

func (h *house) append(all ...news) []bus.ID {
	h.t.Helper()
	ids := make([]bus.ID, len(all))
	err := h.store.Writer().Do(h.t.Context(), func(tx *journal.Tx) error {
		for i, n := range all {
			id, err := tx.Append(n.said, func(hd *bus.Header) {
				hd.Actor, hd.CorrelationID, hd.CausationID, hd.Time = n.actor, n.correlation, n.causation, h.clock.now().Add(-n.ago)
				if !n.id.IsZero() {
					hd.ID = n.id
				}
			})
			if err != nil {
				return err
			}
			ids[i] = id
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return ids
}

func (h *house) settle() {
	h.t.Helper()
	if err := h.bus.Flush(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// say is short for news of a VM.
func say(typ, id string, data any) news {
	return news{said: said{typ: typ, tenant: "acme", kind: "vm", id: id, data: data}}
}

func (h *house) list(q eventlog.Query) *eventlog.Page {
	h.t.Helper()
	page, err := h.log.List(h.t.Context(), q)
	if err != nil {
		h.t.Fatal(err)
	}
	return page
}

// seqs lists the numbers of events.
func seqs(events []*eventlog.Event) []uint64 {
	all := []uint64{}
	for _, e := range events {
		all = append(all, e.Seq)
	}
	return all
}

// all lists all that a query selects, page by page.
func (h *house) all(q eventlog.Query) []*eventlog.Event {
	h.t.Helper()
	var events []*eventlog.Event
	for {
		page := h.list(q)
		events = append(events, page.Events...)
		if q.After = page.Next; q.After == "" {
			return events
		}
	}
}

// rows counts those of a table.
func (h *house) rows(table string) (n int64) {
	h.t.Helper()
	if err := h.store.Writer().DB().Table(table).Count(&n).Error; err != nil {
		h.t.Fatal(err)
	}
	return n
}
