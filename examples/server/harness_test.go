package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/listeners/trace"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// testAPI is an API over a fresh database, without plugins, broker and hypervisor.
type testAPI struct {
	*api
	t   *testing.T
	url string
	dir string // of the database
}

func newTestAPI(t *testing.T, extra ...resources.Listener) *testAPI {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	dir := t.TempDir()
	store, err := sqlite.Open(filepath.Join(dir, "test.db"), sqlite.Options{Logger: log, BusyTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{cfg: config{data: dir}, log: log, store: store, journal: store.Writer(), mux: http.NewServeMux()}
	s.onClose("store", store.Close)
	s.bus = bus.New(bus.Options{Logger: log, Journal: s.journal, Around: trace.Around(tracing)})
	s.onClose("bus", s.bus.Close)
	if err := s.measure(); err != nil {
		t.Fatal(err)
	}
	s.engine, err = resources.New(resources.Options{
		Store: store, Bus: s.bus, Logger: log, Listeners: append([]resources.Listener{trace.New(tracing), listeners.Post(), s.metrics}, extra...),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.register(), s.metrics.Watch(s.engine)); err != nil {
		t.Fatal(err)
	}
	if s.plugins, err = plugins.NewManager(plugins.Options{Bus: s.bus, Logger: log, Mux: s.mux}); err != nil {
		t.Fatal(err)
	}
	stopping := make(chan struct{})
	a := s.newAPI(stopping)
	web := httptest.NewServer(a.handler())
	t.Cleanup(func() {
		close(stopping)
		web.Close()
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return &testAPI{a, t, web.URL, dir}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

func (a answer) allowed() []string {
	var names []string
	list, _ := a.json["allowed"].([]any)
	for _, v := range list {
		names = append(names, fmt.Sprint(v))
	}
	return names
}

// do sends a request; header is "Name: value".
func (a *testAPI) do(method, path, body string, header ...string) answer {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	got := answer{status: resp.StatusCode, header: resp.Header, body: string(text)}
	if resp.Header.Get("Content-Type") == "application/json" {
		if err := json.Unmarshal(text, &got.json); err != nil {
			a.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return got
}

// must fails the test unless the status is as wanted.
func (a *testAPI) must(status int, method, path, body string, header ...string) answer {
	a.t.Helper()
	got := a.do(method, path, body, header...)
	if got.status != status {
		a.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, got.status, got.body, status)
	}
	return got
}
