package resources_test

import (
	"context"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

// What a change appends without a request or a cause belongs to the change.
func TestCorrelationOfWhatAChangeAppends(t *testing.T) {
	r := newRig(t, resources.Options{})
	other := storetest.GadgetChanged{Change: resources.Change{Action: resources.Updated, Kind: "gadget", ResourceID: "other"}}
	g, err := r.gadgets.Create(ctx, storetest.Gadget{}, resources.With(func(tx resources.Tx) error { _, err := tx.Append(other); return err }))
	if err != nil {
		t.Fatal(err)
	}
	records := r.records(t)
	if len(records) != 2 || records[0].ResourceID != g.ID || records[1].CorrelationID != records[0].ID.String() {
		t.Errorf("correlations %q and %q, want the change's id %s for both", records[0].CorrelationID, records[1].CorrelationID, records[0].ID)
	}
}

// What a handler fires with its context is caused by its event, shares its correlation, and is done by its actor unless it says
// otherwise.
func TestCauseAndCorrelation(t *testing.T) {
	r := newRig(t, resources.Options{})
	arrived := make(chan struct{})
	_, err := bus.Subscribe(r.bus.Client("driver"), func(ctx context.Context, e bus.Event[storetest.GadgetChanged]) error {
		opts := []resources.Option{}
		on := storetest.StartRequested
		switch e.Payload.To {
		case storetest.Starting:
			on, opts = fsm.OperationSucceeded, append(opts, resources.Operation(e.Payload.Operation), resources.Actor("driver"))
		case storetest.On:
			close(arrived)
			return nil
		}
		_, err := r.gadgets.Fire(ctx, e.ResourceID, on, opts...)
		return err
	}, bus.Durable("driver"), bus.From(0))
	if err != nil {
		t.Fatal(err)
	}
	request := bus.ContextWithCorrelation(ctx, "request-7")
	if _, err := r.gadgets.Create(request, storetest.Gadget{}, resources.Actor("user:1")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-arrived:
	case <-time.After(10 * time.Second):
		t.Fatal("it isn't on after 10 s")
	}
	records := r.records(t)
	if len(records) != 3 {
		t.Fatalf("%d events, want 3", len(records))
	}
	for i, actor := range []string{"user:1", "user:1", "driver"} {
		h, cause := records[i].Header, ""
		if i > 0 {
			cause = records[i-1].ID.String()
		}
		if h.Actor != actor || h.CorrelationID != "request-7" || h.CausationID != cause {
			t.Errorf("event %d: actor %q, correlation %q, cause %q, want %q, request-7, %q", i+1, h.Actor, h.CorrelationID, h.CausationID, actor, cause)
		}
	}
}
