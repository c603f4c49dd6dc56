package bridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/transporttest"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// streamSink is a sink into the stream that others receive from.
type streamSink struct{ *transporttest.Memory }

func (s streamSink) Send(ctx context.Context, m bridge.Message) error {
	return s.Publish(ctx, bridge.Letter{ID: m.ID, Subject: m.Subject, Header: bridge.WriteHeader(m.ContentType, m.Attributes), Data: m.Data})
}

// Close leaves the broker alone.
func (s streamSink) Close(context.Context) error { return nil }

// gateHouse is a server with a database, a way in and, if it has a sink, a way out.
type gateHouse struct {
	t       *testing.T
	store   *gormstore.Store
	bus     *bus.Bus
	manager *plugins.Manager
	inward  *bridge.Inward
	bridge  *bridge.Bridge
	closed  bool

	mu    sync.Mutex
	typed []bus.Event[fact]
	raw   []string // types
}

// newGate opens the house on a file, or a database of PostgreSQL (postgres://…).
func newGate(t *testing.T, file, source string, m *transporttest.Memory, o bridge.InwardOptions, change ...func(*gateHouse)) *gateHouse {
	t.Helper()
	g := &gateHouse{t: t}
	log := slog.New(slog.DiscardHandler)
	var err error
	if strings.Contains(file, "://") {
		g.store, err = postgres.Open(file, postgres.Options{Logger: log})
	} else {
		g.store, err = sqlite.Open(file, sqlite.Options{Logger: log})
	}
	must(t, err)
	g.bus = bus.New(bus.Options{Logger: log, Source: source, Journal: g.store.Journal()})
	must(t, bus.Register[fact](g.bus, "thing.>", 1))
	g.inward, err = bridge.NewInward(m, o)
	must(t, err)
	g.bridge, err = bridge.New(streamSink{m}, bridge.Options{})
	must(t, err)
	g.manager, err = plugins.NewManager(plugins.Options{Bus: g.bus, Logger: log})
	must(t, err)
	must(t, g.manager.Add(g.bridge, plugins.Required()))
	must(t, g.manager.Add(g.inward, plugins.Required()))
	_, err = bus.Subscribe(g.bus.Client("typed"), func(_ context.Context, e bus.Event[fact]) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.typed = append(g.typed, e)
		return nil
	})
	must(t, err)
	_, err = bus.Subscribe(g.bus.Client("raw"), func(_ context.Context, e bus.Event[bus.Raw]) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.raw = append(g.raw, e.Type)
		return nil
	})
	must(t, err)
	for _, c := range change {
		c(g)
	}
	must(t, g.manager.Start(t.Context()))
	t.Cleanup(g.close)
	return g
}

func (g *gateHouse) close() {
	if g.closed {
		return
	}
	g.closed = true
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, err := range []error{g.manager.Close(ctx), g.bus.Close(ctx), g.store.Close(ctx)} {
		if err != nil {
			g.t.Errorf("close: %v", err)
		}
	}
}

func (g *gateHouse) record(f fact, stamps ...bus.Stamp) {
	g.t.Helper()
	must(g.t, g.store.Do(context.Background(), func(tx resources.StoreTx) error {
		_, err := tx.Append(f, stamps...)
		return err
	}))
}

func (g *gateHouse) journal() []bus.Record {
	g.t.Helper()
	records, err := g.store.Journal().Read(context.Background(), 0, 1000)
	must(g.t, err)
	return records
}

// ids waits until the journal holds n events, and returns what they are about, in order.
func (g *gateHouse) ids(n int) []string {
	g.t.Helper()
	var ids []string
	eventually(g.t, func() error {
		ids = nil
		for _, r := range g.journal() {
			ids = append(ids, r.ResourceID)
		}
		if len(ids) < n {
			return fmt.Errorf("the journal of %s holds %v", g.bus.Source(), ids)
		}
		return nil
	})
	return ids
}

func (g *gateHouse) metric(name string) string {
	for _, plugin := range []string{g.inward.Name(), g.bridge.Name()} {
		var m map[string]any
		if all := g.manager.Metrics().Get(plugin); all != nil && json.Unmarshal([]byte(all.String()), &m) == nil {
			if v, has := m[name]; has {
				return fmt.Sprint(v)
			}
		}
	}
	return ""
}

func (g *gateHouse) awaits(metric, want string) {
	g.t.Helper()
	eventually(g.t, func() error {
		if have := g.metric(metric); have != want {
			return fmt.Errorf("%s is %s, want %s", metric, have, want)
		}
		return nil
	})
}

var all = bridge.InwardOptions{Types: []string{">"}}

func file(t *testing.T) string { return filepath.Join(t.TempDir(), "cloudbus.db") }

// abroad is an event of another server.
func abroad(f fact, change ...func(*bus.Header)) bridge.Letter {
	tenant, kind, id := f.Address()
	h := bus.Header{
		ID: bus.NewID(time.Now()), Type: f.EventType(), Schema: 1, Source: "cloudbus/abroad", Tenant: tenant, Kind: kind, ResourceID: id, Seq: 77,
		Time: time.Date(2026, 5, 4, 3, 2, 1, 987654321, time.UTC), Actor: "user:42", Version: 9,
		CorrelationID: "order-1", CausationID: "0190163d-8694-739b-aea5-966c26f8ad91", TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
	for _, c := range change {
		c(&h)
	}
	payload, _ := json.Marshal(f)
	data, err := bridge.Encode(bus.Event[bus.Raw]{Header: h, Payload: payload})
	if err != nil {
		panic(err)
	}
	subject, err := bridge.Subject(h.Tenant, h.Type)
	if err != nil {
		panic(err)
	}
	return bridge.Letter{ID: h.ID.String(), Subject: subject, Header: map[string][]string{"Content-Type": {bridge.ContentType}}, Data: data}
}

func TestInwardRecordsAnEventOnceAndAsItWas(t *testing.T) {
	m := transporttest.New()
	database := file(t)
	g := newGate(t, database, "cloudbus/home", m, all)
	l := abroad(fact{Tenant: "acme", ID: "1", What: "created", N: 5})
	must(t, m.Publish(t.Context(), l))
	g.ids(1)
	record := g.journal()[0]
	want, err := bridge.DecodeLetter(l)
	must(t, err)
	want.Seq = 1
	if record.Header != want.Header || string(record.Data) != string(want.Payload) {
		t.Errorf("recorded %+v %s\nwant     %+v %s", record.Header, record.Data, want.Header, want.Payload)
	}
	must(t, g.bus.Flush(t.Context()))
	g.mu.Lock()
	if len(g.typed) != 1 || g.typed[0].Payload.N != 5 || g.typed[0].Source != "cloudbus/abroad" {
		t.Errorf("subscribers got %+v", g.typed)
	}
	g.mu.Unlock()

	// Unknown types are taken too.
	must(t, m.Publish(t.Context(), abroad(fact{ID: "2"}, func(h *bus.Header) { h.Type = "weather.rain" })))
	g.ids(2) // so the first is acknowledged: only then can it be delivered again

	var durable string
	must(t, g.store.Journal().(*journal.Journal).DB().Raw("SELECT durable FROM bridge_inward").Scan(&durable).Error)
	m.Redeliver(durable, 1)
	g.awaits("repeated", "1")
	// The same event once more, as another letter: its sender has forgotten that it was acknowledged.
	l.ID = "another"
	must(t, m.Publish(t.Context(), l))
	g.awaits("repeated", "2")

	must(t, g.bus.Flush(t.Context()))
	g.mu.Lock()
	defer g.mu.Unlock()
	if !slices.Equal(g.raw, []string{"thing.created", "weather.rain"}) {
		t.Errorf("takers of Raw got %v", g.raw)
	}
}

func TestInwardGoesOnAfterARestart(t *testing.T) {
	m := transporttest.New()
	database := file(t)
	g := newGate(t, database, "cloudbus/home", m, all)
	m.CrashBeforeAck() // the plugin is disabled by that, after the commit
	must(t, m.Publish(t.Context(), abroad(fact{ID: "1", What: "created"})))
	g.ids(1)
	g.close()
	must(t, m.Publish(t.Context(), abroad(fact{ID: "2", What: "created"})))

	next := newGate(t, database, "cloudbus/home", m, all)
	if ids := next.ids(2); !slices.Equal(ids, []string{"1", "2"}) {
		t.Errorf("the journal holds %v", ids)
	}
	next.awaits("repeated", "1")
}

func TestInwardNothingGoesRoundInACircle(t *testing.T) {
	m := transporttest.New()
	a := newGate(t, file(t), "cloudbus/a", m, all)
	b := newGate(t, file(t), "cloudbus/b", m, all)
	a.record(fact{ID: "1", What: "created"})
	b.ids(1)
	b.record(fact{ID: "2", What: "created"})
	a.ids(2)
	// A third one comes after whatever the first two would cause.
	a.record(fact{ID: "3", What: "created"})
	for _, g := range []*gateHouse{a, b} {
		if ids := g.ids(3); !slices.Equal(ids, []string{"1", "2", "3"}) {
			t.Errorf("the journal of %s holds %v", g.bus.Source(), ids)
		}
		must(t, g.bus.Flush(t.Context()))
	}
	if n := len(m.Letters()); n != 3 {
		t.Errorf("the stream holds %d letters, want 3", n)
	}
	a.awaits("foreign", "1")
	b.awaits("foreign", "2")
	a.awaits("own", "2")
	b.awaits("own", "1")
}

func TestInwardServersOfOneDatabaseTakeNothingOfEachOther(t *testing.T) {
	m := transporttest.New()
	g := newGate(t, file(t), "cloudbus/one", m, all)
	// The other server's events are in the journal that both have, and this one's bridge sends them.
	g.record(fact{ID: "1", What: "created"}, bus.WithSource("cloudbus/two"))
	g.awaits("own", "1")
	if ids := g.ids(1); len(ids) != 1 {
		t.Errorf("the journal holds %v", ids)
	}
}

func TestInwardRefusesWhatIsNoEventAndGoesOn(t *testing.T) {
	m := transporttest.New()
	g := newGate(t, file(t), "cloudbus/home", m, all)
	wrongSubject := abroad(fact{Tenant: "acme", ID: "x", What: "created"})
	wrongSubject.Subject = "cloudbus.other.thing.created"
	wrongData := abroad(fact{ID: "x", What: "created"})
	wrongData.Data = []byte(string(wrongData.Data[:len(wrongData.Data)-1]) + `,"data":{"n":"not a number"}}`)
	for n, l := range []bridge.Letter{
		{Data: []byte("not JSON")},
		{Data: []byte{0, 255, 0}, Header: map[string][]string{"ce-id": {"\xff"}}},
		wrongSubject,
		wrongData,
		abroad(fact{ID: "x"}, func(h *bus.Header) { h.Type, h.Version = "thing.created", 1<<63 }),
		abroad(fact{ID: "x", What: "created"}, func(h *bus.Header) { h.Time = time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC) }), // no journal can store that
	} {
		l.ID = fmt.Sprint("bad-", n)
		if l.Subject == "" {
			l.Subject = "cloudbus._.thing.created"
		}
		must(t, m.Publish(t.Context(), l))
	}
	must(t, m.Publish(t.Context(), abroad(fact{ID: "good", What: "created"})))
	if ids := g.ids(1); !slices.Equal(ids, []string{"good"}) {
		t.Errorf("the journal holds %v", ids)
	}
	g.awaits("refused", "6")
	var refused *bridge.RefusedError
	if err := g.inward.Health(t.Context()); !errors.As(err, &refused) || refused.Count != 6 {
		t.Errorf("health is %v", err)
	}
	ask := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		g.manager.Handler().ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w
	}
	var page struct{ Refused []bridge.Refused }
	must(t, json.Unmarshal(ask("GET", "/v1/inward/nats/refused?limit=10").Body.Bytes(), &page))
	if len(page.Refused) != 6 || string(page.Refused[0].Data) != "not JSON" || page.Refused[0].Reason == "" || page.Refused[0].Size != 8 {
		t.Errorf("GET gives %+v", page.Refused)
	}
	for _, r := range page.Refused {
		if w := ask("DELETE", fmt.Sprint("/v1/inward/nats/refused/", r.N)); w.Code != http.StatusNoContent {
			t.Errorf("DELETE %d: %d %s", r.N, w.Code, w.Body)
		}
	}
	if w := ask("DELETE", "/v1/inward/nats/refused/1"); w.Code != http.StatusNotFound {
		t.Errorf("DELETE again: %d", w.Code)
	}
	if w := ask("GET", "/v1/inward/nats/refused?limit=0"); w.Code != http.StatusBadRequest {
		t.Errorf("GET with limit 0: %d", w.Code)
	}
	must(t, g.inward.Health(t.Context()))
}

func TestInwardKeepsTheNewestThousandOfWhatItRefused(t *testing.T) {
	m := transporttest.New()
	for n := range 1005 {
		must(t, m.Publish(t.Context(), bridge.Letter{ID: fmt.Sprint(n), Subject: "cloudbus._.x", Data: []byte("?")}))
	}
	g := newGate(t, file(t), "cloudbus/home", m, all)
	g.awaits("refused", "1005")
	kept, err := g.inward.Refused(t.Context(), 0, 2000)
	must(t, err)
	if len(kept) != 1000 || kept[0].Seq != 6 {
		t.Errorf("%d are kept, from %d on", len(kept), kept[0].Seq)
	}
}

func TestInwardTakesWhatItsOptionsName(t *testing.T) {
	m := transporttest.New()
	o := bridge.InwardOptions{Types: []string{"thing.created", "thing.gone"}, Tenants: []string{"acme", ""}}
	g := newGate(t, file(t), "cloudbus/home", m, o)
	for n, f := range []fact{{"acme", "1", "created", 0}, {"evil", "2", "created", 0}, {"acme", "3", "counted", 0}, {"", "4", "gone", 0}} {
		must(t, m.Publish(t.Context(), abroad(f, func(h *bus.Header) { h.Seq = uint64(n) + 1 })))
	}
	if ids := g.ids(2); !slices.Equal(ids, []string{"1", "4"}) {
		t.Errorf("the journal holds %v", ids)
	}
	g.awaits("passed", "2")
}

func TestInwardAServerWhoseSourceCameInFromElsewhereDoesntStart(t *testing.T) {
	m := transporttest.New()
	database := file(t)
	t.Run("before", func(t *testing.T) {
		g := newGate(t, database, "cloudbus/home", m, all)
		must(t, m.Publish(t.Context(), abroad(fact{ID: "1", What: "created"})))
		g.ids(1)
	})
	log := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(database, sqlite.Options{Logger: log})
	must(t, err)
	defer store.Close(t.Context())
	b := bus.New(bus.Options{Source: "cloudbus/abroad", Journal: store.Journal(), Logger: log})
	defer b.Close(t.Context())
	manager, err := plugins.NewManager(plugins.Options{Bus: b, Logger: log})
	must(t, err)
	defer manager.Close(t.Context())
	relay, err := bridge.New(streamSink{m}, bridge.Options{})
	must(t, err)
	must(t, manager.Add(relay, plugins.Required()))
	if err := manager.Start(t.Context()); !errors.Is(err, bridge.ErrForeignSource) {
		t.Errorf("the start says %v, want ErrForeignSource", err)
	}
}

func TestInwardOptionsThatAreWrong(t *testing.T) {
	for name, o := range map[string]bridge.InwardOptions{
		"no types": {}, "pattern": {Types: []string{"a..b"}}, "name": {Name: "A", Types: []string{">"}},
		"long name": {Name: "abcdefghijklmnopqrstuvwxyz", Types: []string{">"}}, "remember": {Types: []string{">"}, Remember: time.Second},
		"inlet": {Types: []string{">"}, Inlet: bridge.Inlet{Batch: -1}},
	} {
		var wrong *bridge.OptionError
		if _, err := bridge.NewInward(transporttest.New(), o); !errors.As(err, &wrong) {
			t.Errorf("%s: %v, want a *bridge.OptionError", name, err)
		}
	}
	if _, err := bridge.NewInward(nil, all); err == nil {
		t.Error("no transport: no error")
	}
}

// Two ways in share what repeats are told by. One that is far behind the other must not lose what it is told by.
func TestInwardTwoWaysInEachRememberTheirOwn(t *testing.T) {
	near, far := transporttest.New(), transporttest.New()
	var slow *bridge.Inward
	o := bridge.InwardOptions{Name: "far", Types: []string{">"}, Remember: 1000 * time.Hour}
	quick := bridge.InwardOptions{Name: "near", Types: []string{">"}, Remember: time.Minute}
	g := newGate(t, file(t), "cloudbus/home", near, quick, func(g *gateHouse) {
		var err error
		slow, err = bridge.NewInward(longAgo{far}, o)
		must(t, err)
		must(t, g.manager.Add(slow, plugins.Required()))
	})
	old := abroad(fact{ID: "old", What: "created"})
	must(t, far.Publish(t.Context(), old))
	g.ids(1)
	must(t, near.Publish(t.Context(), abroad(fact{ID: "new", What: "created"})))
	g.ids(2)
	old.ID = "once more"
	must(t, far.Publish(t.Context(), old))
	must(t, far.Publish(t.Context(), abroad(fact{ID: "last", What: "created"})))
	if ids := g.ids(3); !slices.Equal(ids, []string{"old", "new", "last"}) {
		t.Errorf("the journal holds %v", ids)
	}
}

func TestInwardRefusesNothingForWhatTheDatabaseSays(t *testing.T) {
	m := &failing{Memory: transporttest.New(), failed: make(chan struct{}, 64)}
	o := bridge.InwardOptions{Name: "far", Types: []string{">"}}
	var far *bridge.Inward
	g := newGate(t, file(t), "cloudbus/home", transporttest.New(), all, func(g *gateHouse) {
		var err error
		far, err = bridge.NewInward(m, o)
		must(t, err)
		must(t, g.manager.Add(far, plugins.Required()))
	})
	exec := func(query string) {
		must(t, g.store.Writer().Do(t.Context(), func(tx *journal.Tx) error { return tx.DB().Exec(query).Error }))
	}
	exec("CREATE TRIGGER broken BEFORE INSERT ON bridge_received BEGIN SELECT RAISE(ABORT, 'the disk has a bad day'); END")
	for n := range 3 {
		must(t, m.Publish(t.Context(), abroad(fact{ID: fmt.Sprint(n), What: "created"})))
	}
	for range 4 {
		select {
		case <-m.failed:
		case <-time.After(20 * time.Second):
			t.Fatal("it doesn't come again")
		}
	}
	if err := far.Health(t.Context()); err == nil || !strings.Contains(err.Error(), "bad day") {
		t.Errorf("health is %v", err)
	}
	exec("DROP TRIGGER broken")
	if ids := g.ids(3); !slices.Equal(ids, []string{"0", "1", "2"}) {
		t.Errorf("the journal holds %v", ids)
	}
	eventually(t, func() error { return far.Health(t.Context()) })
}

// failing is a transport that tells of what its receiver couldn't handle.
type failing struct {
	*transporttest.Memory
	failed chan struct{}
}

func (f *failing) Receive(ctx context.Context, in bridge.Inlet, handle func(context.Context, []bridge.Delivery) error) error {
	return f.Memory.Receive(ctx, in, func(ctx context.Context, batch []bridge.Delivery) error {
		err := handle(ctx, batch)
		if err != nil {
			f.failed <- struct{}{}
		}
		return err
	})
}

// longAgo is a transport whose stream stored everything a day earlier.
type longAgo struct{ *transporttest.Memory }

func (l longAgo) Receive(ctx context.Context, in bridge.Inlet, handle func(context.Context, []bridge.Delivery) error) error {
	return l.Memory.Receive(ctx, in, func(ctx context.Context, batch []bridge.Delivery) error {
		for i := range batch {
			batch[i].Time = batch[i].Time.Add(-24 * time.Hour)
		}
		return handle(ctx, batch)
	})
}

func spoilt(l bridge.Letter, good, bad string) bridge.Letter {
	if !strings.Contains(string(l.Data), good) {
		panic(string(l.Data) + " has no " + good)
	}
	l.Data = []byte(strings.ReplaceAll(string(l.Data), good, bad))
	return l
}

func TestInwardServersOnPostgreSQL(t *testing.T) {
	m := transporttest.New()
	dsn := postgrestest.Schema(t)
	one := newGate(t, dsn, "cloudbus/one", m, all)
	two := newGate(t, dsn, "cloudbus/two", m, all)
	letters := map[string]bridge.Letter{}
	publish := func(from, to int) {
		for n := from; n < to; n++ {
			id := fmt.Sprintf("%03d", n)
			letters[id] = abroad(fact{ID: id, Tenant: "acme", What: "created", N: n})
			must(t, m.Publish(t.Context(), letters[id]))
		}
	}
	home := func(g *gateHouse, id string) { g.record(fact{ID: id, What: "counted"}) }
	publish(0, 100)
	home(one, "one's")
	home(two, "two's")
	publish(100, 200)
	two.ids(202)

	t.Log("what is no event is refused here as on SQLite")
	for n, l := range []bridge.Letter{
		{Data: []byte("not JSON"), Header: map[string][]string{"\x00": {"\xff\x00"}}},
		{Data: []byte{0, 255, 0}},
		spoilt(abroad(fact{ID: "xx", What: "created"}), `"subject":"thing/xx"`, `"subject":"thing/x\u0000"`),
		abroad(fact{ID: "x", What: "created"}, func(h *bus.Header) { h.Version = 1 << 63 }),
	} {
		l.ID, l.Subject = fmt.Sprint("bad-", n), "cloudbus._.thing.created"
		must(t, m.Publish(t.Context(), l))
	}
	publish(200, 209)
	nul := spoilt(abroad(fact{ID: "nul", What: "created"}), `"id":"nul"`, `"id":"nul\u0000"`) // in its data
	must(t, m.Publish(t.Context(), nul))
	two.ids(212)
	var refused *bridge.RefusedError
	if err := two.inward.Health(t.Context()); !errors.As(err, &refused) || refused.Count != 4 {
		t.Errorf("health is %v", err)
	}

	t.Log("the other goes on where the first was")
	m.CrashBeforeAck()
	publish(210, 211)
	two.ids(213)
	one.close()
	for _, l := range letters { // all once more, by a sender that has forgotten that they were acknowledged
		l.ID += "again"
		must(t, m.Publish(t.Context(), l))
	}
	publish(211, 260)
	home(two, "two's last")
	ids := two.ids(263)
	must(t, two.bus.Flush(t.Context()))
	slices.Sort(ids)
	if n := len(slices.Compact(slices.Clone(ids))); n != len(ids) || n != 263 {
		t.Errorf("the journal holds %d events about %d things", len(ids), n)
	}
	sent := 0
	for _, l := range m.Letters() {
		if e, err := bridge.DecodeLetter(l.Letter); err == nil && (e.Source == "cloudbus/one" || e.Source == "cloudbus/two") {
			sent++
		}
	}
	if sent != 3 {
		t.Errorf("%d events of these servers were sent, want 3", sent)
	}
}
