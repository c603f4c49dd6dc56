package main

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bridge/status"
)

// newBuiltAPI is an API over the whole server, with a broker that listens.
func newBuiltAPI(t *testing.T) (a *testAPI, brokerURL string) {
	t.Helper()
	dir := t.TempDir()
	s, err := build(t.Context(), config{data: dir, natsListen: "127.0.0.1:0"}, slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	stopping := make(chan struct{})
	served := s.newAPI(stopping)
	web := httptest.NewServer(served.handler())
	t.Cleanup(func() { close(stopping); web.Close() })
	return &testAPI{served, t, web.URL, dir}, s.brokerURL
}

// TestWhatProvidersReport comes in over the server's broker, and is shown beside the resource's own state, or in the list it belongs to.
func TestWhatProvidersReport(t *testing.T) {
	a, brokerURL := newBuiltAPI(t)
	transport, err := natsbridge.NewTransport(natsbridge.TransportOptions{URL: brokerURL, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = transport.Close(t.Context()) }()
	reporter, err := status.NewReporter(transport, status.ReporterOptions{Provider: "east", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	a.must(201, "POST", "/v1/resources/vm", `{"id":"web1"}`)
	a.must(201, "POST", "/v1/resources/vm", `{"id":"web2"}`)
	for _, id := range []string{"web1", "ghost"} {
		if err := reporter.Report(t.Context(), status.Observation{ServiceType: "vm", ID: id, Status: status.Running, Raw: "poweredOn"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := reporter.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := transport.Publish(t.Context(), bridge.Letter{Subject: "dcm.vm", ID: "rubbish", Data: []byte("rubbish")}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; <-time.After(time.Millisecond) {
		if c := a.reports.Stats(); c.Applied == 1 && c.Held == 1 && c.Rejected[status.NotJSON] == 1 {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("counted %+v, health: %v", c, a.reports.Health(t.Context()))
		}
	}
	shown := a.must(200, "GET", "/v1/resources/vm/web1", "").json
	observed, _ := shown["observed"].(map[string]any)
	if shown["state"] != "running" || observed["status"] != "RUNNING" || observed["raw"] != "poweredOn" || observed["provider"] != "east" || observed["time"] == nil {
		t.Errorf("web1 is shown as %v", shown)
	}
	if shown := a.must(200, "GET", "/v1/resources/vm/web2", "").json; shown["observed"] != nil {
		t.Errorf("web2, which nobody reports, is shown as %v", shown)
	}
	for path, has := range map[string]string{
		"/v1/status/observations": `"resource_id":"web1"`,
		"/v1/status/held":         `"resource_id":"ghost"`,
		"/v1/status/orphans":      `"held":[]`,
		"/v1/status/quarantine":   `"reason":"not_json"`,
		"/v1/status/providers":    `"name":"east"`,
		"/readyz":                 `"status"`,
	} {
		if got := a.must(200, "GET", path, "").body; !strings.Contains(strings.ReplaceAll(got, `": `, `":`), has) {
			t.Errorf("%s: %s, want %s in it", path, got, has)
		}
	}
}
