package main

import (
	"context"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
)

func TestTheEventLogShowsWhatARequestCaused(t *testing.T) {
	a := newTestAPI(t)
	if err := a.plugins.Add(eventlog.New(eventlog.Options{}), plugins.Required()); err != nil {
		t.Fatal(err)
	}
	if err := a.plugins.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.plugins.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	a.must(201, "POST", "/v1/resources/vm", `{"id":"web1","name":"web1","tenant":"acme"}`)
	a.must(200, "POST", "/v1/resources/vm/web1/fire", `{"trigger":"start_requested"}`, "X-Request-ID: monday-1", "X-Actor: user:42")
	if err := a.bus.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/v1/eventlog?kind=vm&resource=web1&limit=1":            `"type":"vm.state.starting"`,
		"/v1/eventlog?actor=user:42&text=start_requested":       `"type":"vm.state.starting"`,
		"/v1/eventlog?type=*.created&tenant=acme&order=oldest":  `"type":"vm.created"`,
		"/v1/eventlog/chains/monday-1":                          `"correlation_id":"monday-1","events":1`,
		"/v1/eventlog/export?correlation=monday-1&archived=all": `"correlationid":"monday-1"`,
	} {
		if got := a.must(200, "GET", path, ""); !strings.Contains(got.body, want) {
			t.Errorf("%s: %s, want %s in it", path, got.body, want)
		}
	}
}
