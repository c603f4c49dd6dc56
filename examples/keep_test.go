package examples_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// mailbox is a broker that keeps what it gets.
type mailbox struct {
	mu  sync.Mutex
	got []bridge.Message
}

func (m *mailbox) Send(_ context.Context, one bridge.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got = append(m.got, one)
	return nil
}

// of returns the newest message of an event type.
func (m *mailbox) of(t *testing.T, eventType string) bus.Event[bus.Raw] {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range slices.Backward(m.got) {
		if one.Header.Type == eventType {
			e, err := bridge.Decode(one.Data)
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
	}
	t.Fatalf("no %s among %d messages", eventType, len(m.got))
	return bus.Event[bus.Raw]{}
}

// bridgeTo sends the office's events to a sink.
func (o *office) bridgeTo(t *testing.T, sink bridge.Sink) {
	t.Helper()
	relay, err := bridge.New(sink, bridge.Options{Types: []string{"vm.>"}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := plugins.NewManager(plugins.Options{Bus: o.bus})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Add(relay, plugins.Required()); err != nil {
		t.Fatal(err)
	}
	atEnd(t, m.Close)
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (o *office) life(t *testing.T, id string, at time.Time, triggers ...fsm.Trigger) {
	t.Helper()
	if _, err := o.vms.Create(t.Context(), vm.VM{Object: resources.Object{ID: id, Tenant: "acme"}, CPUs: 2}, resources.At(at)); err != nil {
		t.Fatal(err)
	}
	for _, on := range triggers {
		at = at.Add(time.Minute)
		if _, err := o.vms.Fire(t.Context(), id, on, resources.At(at)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAPurgeLeavesTheBillAlone(t *testing.T) {
	o, err := openOffice(t, filepath.Join(t.TempDir(), "cloudbus.db"))
	if err != nil {
		t.Fatal(err)
	}
	broker := &mailbox{}
	o.bridgeTo(t, broker)
	ago := time.Now().Add(-100 * time.Hour)
	o.life(t, "old", ago, vm.StartRequested, vm.OperationSucceeded, vm.StopRequested, vm.OperationSucceeded, vm.ExpungeRequested, vm.OperationSucceeded)
	o.life(t, "new", ago, vm.StartRequested, vm.OperationSucceeded)
	bill := func() *usage.Report {
		t.Helper()
		if err := o.bus.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		r, err := o.usage.Report(t.Context(), usage.Query{To: ago.Add(time.Hour), By: []string{usage.ByResource, usage.ByMeter}})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	before := bill()
	if len(before.Rows) != 4 {
		t.Fatalf("the bill has %d rows, want 4", len(before.Rows))
	}
	if done, err := o.vms.Purge(t.Context(), 24*time.Hour); err != nil || done.Removed != 1 {
		t.Fatalf("%+v, %v, want old alone to be removed", done, err)
	}
	if after := bill(); !reflect.DeepEqual(after, before) {
		t.Errorf("the bill is now\n%+v, before\n%+v", after, before)
	}
	if got := o.query(t, "SELECT name FROM alerts"); len(got) != 0 {
		t.Errorf("alerts %q", got)
	}
	var removed vm.Changed
	e := broker.of(t, "vm.removed")
	if err := json.Unmarshal(e.Payload, &removed); err != nil || removed.ResourceID != "old" || removed.Action != resources.Removed ||
		removed.Resource.CPUs != 2 || e.Version != 8 || e.Subject() != "vm/old" {
		t.Errorf("the broker got %+v, %+v, %v", e.Header, removed, err)
	}
}

func TestStuckIsToldOnceWhateverRestarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloudbus.db")
	alerted := func(o *office, want ...string) {
		t.Helper()
		if err := o.bus.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := o.query(t, "SELECT name || ' ' || resource_id || ' ' || count || ' ' || (cleared_at = 0) FROM alerts ORDER BY id")
		if !slices.Equal(got, want) {
			t.Errorf("alerts %q, want %q", got, want)
		}
	}
	for run, reported := range []int{1, 0, 0} {
		t.Run("", func(t *testing.T) {
			o, err := openOffice(t, path)
			if err != nil {
				t.Fatal(err)
			}
			broker := &mailbox{}
			o.bridgeTo(t, broker)
			if run == 0 {
				o.life(t, "web", time.Now().Add(-25*time.Minute), vm.StartRequested)
			}
			if n, err := o.engine.ReportStuck(t.Context()); n != reported || err != nil {
				t.Errorf("%d are reported (%v), want %d", n, err, reported)
			}
			alerted(o, "stuck web 1 1")
			if run > 0 {
				return
			}
			var stuck resources.Stuck
			e := broker.of(t, "vm.stuck")
			if err := json.Unmarshal(e.Payload, &stuck); err != nil || stuck.ResourceID != "web" || stuck.State != vm.Starting ||
				stuck.Limit != 10*time.Minute || e.Tenant != "acme" || e.Version != 2 {
				t.Errorf("the broker got %+v, %+v, %v", e.Header, stuck, err)
			}
		})
	}
	o, err := openOffice(t, path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.vms.Fire(t.Context(), "web", vm.OperationSucceeded); err != nil {
		t.Fatal(err)
	}
	alerted(o, "stuck web 1 0")
}
