package thirdparty_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"example.com/thirdparty/loadbalancer"
	"example.com/thirdparty/tenantchanges"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/plugintest"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// server embeds Cloudbus with the kind and the plugin of this module.
type server struct {
	store  *gormstore.Store
	bus    *bus.Bus
	lbs    *resources.Kind[loadbalancer.LoadBalancer]
	guests *plugins.Manager
}

func start(t *testing.T, file string) *server {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(file, sqlite.Options{Logger: log})
	must(t, err)
	b := bus.New(bus.Options{Logger: log, Source: "example.com/server", Journal: store.Journal()})
	lbs := register(t, store, b) // before the plugins, which pass over events of kinds that aren't there yet
	guests, err := plugins.NewManager(plugins.Options{Bus: b, Logger: log})
	must(t, err)
	must(t, guests.Add(&tenantchanges.Plugin{}, plugins.Required()))
	must(t, guests.Start(t.Context()))
	return &server{store: store, bus: b, lbs: lbs, guests: guests}
}

func register(t testing.TB, store *gormstore.Store, b *bus.Bus) *resources.Kind[loadbalancer.LoadBalancer] {
	t.Helper()
	engine, err := resources.New(resources.Options{Store: store, Bus: b, Listeners: []resources.Listener{listeners.Post()}})
	must(t, err)
	lbs, err := resources.Register[loadbalancer.LoadBalancer](engine, loadbalancer.Machine)
	must(t, err)
	return lbs
}

func (s *server) stop(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	must(t, errors.Join(s.guests.Close(ctx), s.bus.Close(ctx), s.store.Close(ctx)))
}

// withoutPlugins runs a server that has none: what happens there is counted when the plugin is back.
func withoutPlugins(t *testing.T, file string, during func(*resources.Kind[loadbalancer.LoadBalancer])) {
	t.Helper()
	store, err := sqlite.Open(file, sqlite.Options{Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	b := bus.New(bus.Options{Logger: slog.New(slog.DiscardHandler), Source: "example.com/server", Journal: store.Journal()})
	during(register(t, store, b))
	must(t, errors.Join(b.Close(t.Context()), store.Close(t.Context())))
}

// request asks the plugin over HTTP, after it has seen all there was.
func (s *server) request(t *testing.T, path string) (status int, counts []tenantchanges.Count, body string) {
	t.Helper()
	must(t, s.bus.Flush(t.Context()))
	answer := httptest.NewRecorder()
	s.guests.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	if answer.Code == http.StatusOK {
		must(t, json.Unmarshal(answer.Body.Bytes(), &counts))
	}
	return answer.Code, counts, answer.Body.String()
}

func balancer(tenant string) loadbalancer.LoadBalancer {
	return loadbalancer.LoadBalancer{
		Object: resources.Object{Tenant: tenant, Name: "front"},
		VIP:    "192.0.2.10", Port: 443, Algorithm: loadbalancer.LeastConn, Backends: 2, TLSKey: "-----BEGIN PRIVATE KEY-----",
	}
}

func TestKindAndPluginFromOutsideRunInAServer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cloud.db")
	s := start(t, file)
	heard := make(chan bus.Event[loadbalancer.Changed], 16)
	_, err := bus.Subscribe(s.bus.Client("test"), func(_ context.Context, e bus.Event[loadbalancer.Changed]) error { heard <- e; return nil })
	must(t, err)

	lb, err := s.lbs.Create(t.Context(), balancer("acme"))
	must(t, err)
	for _, on := range []fsm.Trigger{loadbalancer.BuildRequested, loadbalancer.BuildRequested, loadbalancer.OperationSucceeded, loadbalancer.ReportDegraded} {
		_, err := s.lbs.Fire(t.Context(), lb.ID, on)
		must(t, err)
	}
	_, err = s.lbs.Create(t.Context(), balancer("evil"))
	must(t, err)
	must(t, s.bus.Flush(t.Context()))

	var types []string
	for range len(heard) {
		e := <-heard
		types = append(types, e.Type)
		if e.Payload.Resource.TLSKey != "" {
			t.Errorf("%s carries the private key", e.Type)
		}
	}
	want := "loadbalancer.created loadbalancer.state.building loadbalancer.state.active loadbalancer.state.degraded loadbalancer.created"
	if got := strings.Join(types, " "); got != want {
		t.Errorf("events %s\nwant   %s", got, want)
	}
	page, err := s.lbs.List(t.Context(), resources.Query{Where: map[string]any{"vip": "192.0.2.10"}, States: fsm.States(loadbalancer.Degraded)})
	must(t, err)
	if len(page.Items) != 1 || page.Items[0].ID != lb.ID || page.Items[0].Version != 4 || page.Items[0].TLSKey == "" {
		t.Errorf("degraded load balancers: %+v", page.Items)
	}
	counted := []tenantchanges.Count{{Tenant: "acme", Kind: "loadbalancer", Changes: 4, LastSeq: 4}, {Tenant: "evil", Kind: "loadbalancer", Changes: 1, LastSeq: 5}}
	if _, got, _ := s.request(t, "/v1/tenant-changes"); !reflect.DeepEqual(got, counted) {
		t.Errorf("counted %+v, want %+v", got, counted)
	}
	s.stop(t)

	withoutPlugins(t, file, func(lbs *resources.Kind[loadbalancer.LoadBalancer]) {
		_, err := lbs.Fire(t.Context(), lb.ID, loadbalancer.ReportHealthy)
		must(t, err)
	})
	s = start(t, file)
	defer s.stop(t)
	_, err = s.lbs.Fire(t.Context(), lb.ID, loadbalancer.ReportDegraded)
	must(t, err)
	counted[0].Changes, counted[0].LastSeq = 6, 7
	if _, got, _ := s.request(t, "/v1/tenant-changes?tenant=acme"); !reflect.DeepEqual(got, counted[:1]) {
		t.Errorf("after a restart counted %+v, want %+v", got, counted[:1])
	}
}

func TestBadInput(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "cloud.db"))
	defer s.stop(t)
	for field, spoil := range map[string]func(*loadbalancer.LoadBalancer){
		"vip":       func(lb *loadbalancer.LoadBalancer) { lb.VIP = "example.com" },
		"port":      func(lb *loadbalancer.LoadBalancer) { lb.Port = 0 },
		"algorithm": func(lb *loadbalancer.LoadBalancer) { lb.Algorithm = "dice" },
		"backends":  func(lb *loadbalancer.LoadBalancer) { lb.Backends = -1 },
	} {
		t.Run(field, func(t *testing.T) {
			lb := balancer("acme")
			spoil(&lb)
			var invalid *resources.InvalidError
			if _, err := s.lbs.Create(t.Context(), lb); !errors.As(err, &invalid) || !strings.Contains(err.Error(), field) {
				t.Errorf("Create: %v, want an InvalidError of %s", err, field)
			}
		})
	}
	empty := balancer("acme")
	empty.Backends = 0
	lb, err := s.lbs.Create(t.Context(), empty)
	must(t, err)
	var refused *fsm.TransitionError
	if _, err := s.lbs.Fire(t.Context(), lb.ID, loadbalancer.BuildRequested); !errors.As(err, &refused) || !strings.Contains(err.Error(), "has_backends") {
		t.Errorf("build without backends: %v, want a refusal that names the guard", err)
	}
	if status, _, body := s.request(t, "/v1/tenant-changes?tennant=acme"); status != http.StatusBadRequest || !strings.Contains(body, "tennant") {
		t.Errorf("unknown parameter: %d %s", status, body)
	}
}

func TestPluginKeepsTheContract(t *testing.T) {
	open := func(t testing.TB) *bus.Bus {
		store, err := sqlite.Open(filepath.Join(t.TempDir(), "cloud.db"), sqlite.Options{})
		must(t, err)
		b := bus.New(bus.Options{Journal: store.Journal()})
		t.Cleanup(func() { must(t, errors.Join(b.Close(context.Background()), store.Close(context.Background()))) })
		return b
	}
	feed := func(t testing.TB, b *bus.Bus) {
		store, err := gormstore.New(gormstore.Options{Journal: b.Journal().(*journal.Journal)})
		must(t, err)
		lbs := register(t, store, b)
		for _, tenant := range []string{"acme", "evil", "acme"} {
			lb, err := lbs.Create(context.Background(), balancer(tenant))
			must(t, err)
			_, err = lbs.Fire(context.Background(), lb.ID, loadbalancer.BuildRequested)
			must(t, err)
		}
	}
	plugintest.Run(t, func() plugins.Plugin { return &tenantchanges.Plugin{} }, plugintest.Database(open), plugintest.Feed(feed))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
