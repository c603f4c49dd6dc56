package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func TestMetricsPage(t *testing.T) {
	a := newTestAPI(t)
	a.must(201, "POST", "/v1/resources/vm", `{"id":"web1"}`)
	a.must(200, "POST", "/v1/resources/vm/web1/fire", `{"trigger":"start_requested"}`)
	page := a.must(200, "GET", "/metrics", "").body
	for _, line := range []string{
		`cloudbus_transitions_total{kind="vm",result="moved",trigger="start_requested"} 1`,
		`cloudbus_resources{kind="vm",state="starting"} 1`,
		`cloudbus_journal_events_total 2`,
		`cloudbus_journal_up 1`,
	} {
		if !strings.Contains(page, "\n"+line+"\n") {
			t.Errorf("not on the page: %s", line)
		}
	}
	for _, name := range []string{"\ncloudbus_writer_commits_total ", "\ngo_goroutines ", "\nprocess_"} {
		if !strings.Contains(page, name) {
			t.Errorf("not on the page: %s", name)
		}
	}
}

// The trace that a request brings is that of its event, and of what the hypervisor fires because of it, though it does so later.
func TestARequestsTraceGoesOnThroughEvents(t *testing.T) {
	a := newTestAPI(t)
	h, err := startHypervisor(hypervisorOptions{
		Engine: a.engine, Client: a.bus.Client(hypervisorName), Kinds: a.engine.Kinds(), Log: a.log, Seed: 1, Duration: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	ended := make(chan struct{})
	_, err = bus.Subscribe(a.bus.Client("test"), func(_ context.Context, e bus.Event[vm.Changed]) error {
		if e.Payload.From == vm.Starting {
			close(ended)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const traceID = "0af7651916cd43dd8448eb211c80319c"
	a.must(201, "POST", "/v1/resources/vm", `{"id":"web1"}`, "traceparent: nonsense")
	a.must(200, "POST", "/v1/resources/vm/web1/fire", `{"trigger":"start_requested"}`, "traceparent: 00-"+traceID+"-b7ad6b7169203331-01")
	<-ended
	events := a.must(200, "GET", "/v1/events?kind=vm&id=web1", "").json["events"].([]any)
	if len(events) != 3 {
		t.Fatalf("%d events", len(events))
	}
	for i, e := range events {
		trace, _ := e.(map[string]any)["trace_parent"].(string)
		if want := i > 0; strings.Contains(trace, traceID) != want {
			t.Errorf("event %v has trace %q", e, trace)
		}
	}
}
