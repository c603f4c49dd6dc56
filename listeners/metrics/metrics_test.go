package metrics_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/listeners/metrics"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// live has a story happen, of which there is something in each family.
func (r *rig) live() {
	r.t.Helper()
	c := r.bus.Client("screen")
	durable := func(_ context.Context, e bus.Event[vm.Changed]) error {
		if e.Payload.ResourceID == "bad" {
			return errors.New("bad")
		}
		return nil
	}
	for _, name := range []string{"billing", "mailer"} {
		if _, err := bus.Subscribe(c, durable, bus.Durable(name), bus.Retry(2, time.Millisecond)); err != nil {
			r.t.Fatal(err)
		}
	}
	for range 2 { // without a name
		if _, err := bus.Subscribe(c, func(context.Context, bus.Event[any]) error { return nil }); err != nil {
			r.t.Fatal(err)
		}
	}
	r.create("a")
	r.create("bad")
	r.fire("a", vm.StartRequested)
	time.Sleep(42 * time.Second)
	r.fire("a", vm.OperationSucceeded)
	r.fire("a", vm.StartRequested) // nothing to do
	r.fire("a", vm.RestoreRequested)
	r.fire("a", "no_such_trigger")
	r.fire("nobody", vm.StartRequested)
	_, _ = r.vms.Update(ctx, "a", func(v *vm.VM) error { v.CPUs = 4; return nil })
	if err := bus.Publish(ctx, c, told{}); err != nil {
		r.t.Fatal(err)
	}
	time.Sleep(time.Second)
	if err := r.bus.Flush(ctx); err != nil {
		r.t.Fatal(err)
	}
}

type told struct{}

func (told) EventType() string { return "test.told" }

func TestPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := listeners.Funcs{ListenerName: "slow", OnBefore: func(context.Context, resources.Change) error { time.Sleep(3 * time.Millisecond); return nil }}
		r := newRig(t, metrics.Options{}, nil, slow)
		r.live()
		golden(t, "page.txt", r.scrape())
		r.close()
	})
}

func TestPageKeepsPrometheusConventions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, metrics.Options{}, nil)
		r.live()
		problems, err := testutil.GatherAndLint(r.registry)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
		for line := range strings.Lines(r.scrape()) {
			name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "), " ")
			if !strings.HasPrefix(name, "cloudbus_") {
				t.Errorf("not ours: %s", line)
			}
			for _, unbounded := range []string{"acme", "nobody", "no_such_trigger", `"a"`} {
				if strings.Contains(line, unbounded) {
					t.Errorf("%s is a label: %s", unbounded, line)
				}
			}
		}
		r.close()
	})
}

func TestTransitionsByKindTriggerAndResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		veto := listeners.Funcs{ListenerName: "veto", OnBefore: func(_ context.Context, c resources.Change) error {
			if c.Trigger == vm.PauseRequested {
				return errors.New("no")
			}
			if c.Trigger == vm.MigrationRequested {
				panic("oh")
			}
			return nil
		}}
		r := newRig(t, metrics.Options{}, nil, veto)
		r.create("a")
		r.fire("a", vm.StartRequested)
		r.fire("a", vm.OperationFailed, resources.Operation(bus.NewID(time.Now())))
		r.fire("a", vm.OperationSucceeded)
		r.fire("a", vm.StartRequested)
		r.fire("a", vm.PauseRequested)
		r.fire("a", vm.MigrationRequested)
		r.fire("a", vm.RecoveryRequested)
		r.fire("nobody", vm.StopRequested)
		r.fire("a", "x")
		r.fire("nobody", "y")
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		_, _ = r.vms.Fire(cancelled, "a", vm.StopRequested)
		line := func(trigger, result string) string {
			return `cloudbus_transitions_total{kind="vm",result="` + result + `",trigger="` + trigger + `"} 1`
		}
		r.want(
			`cloudbus_creations_total{kind="vm",result="created"} 1`,
			line("start_requested", "moved"), line("operation_failed", "stale"), line("operation_succeeded", "moved"),
			line("start_requested", "unchanged"), line("pause_requested", "vetoed"), line("migration_requested", "panicked"),
			line("recovery_requested", "refused"), line("stop_requested", "not_found"),
			line("unknown", "invalid"), line("unknown", "not_found"), line("stop_requested", "cancelled"),
			`cloudbus_transition_duration_seconds_count{kind="vm",result="moved"} 2`,
			`cloudbus_transition_duration_seconds_count{kind="vm",result="not_found"} 2`,
		)
		r.close()
	})
}

func TestTimeInTransitionalStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, metrics.Options{}, nil)
		r.create("a")
		r.fire("a", vm.StartRequested)
		time.Sleep(7 * time.Second)
		r.fire("a", vm.OperationFailed)
		time.Sleep(time.Hour) // stopped, which isn't transitional
		r.fire("a", vm.StartRequested)
		time.Sleep(3 * time.Second)
		r.fire("a", vm.OperationSucceeded)
		r.fire("a", vm.DestroyRequested)
		r.fire("a", vm.StopRequested)
		r.fire("a", vm.ReportStopped)
		r.fire("a", vm.ExpungeRequested)
		time.Sleep(time.Minute)
		r.fire("a", vm.OperationFailed) // expunging again: it hasn't left
		time.Sleep(time.Minute)
		r.fire("a", vm.OperationSucceeded)
		r.want(
			`cloudbus_transitional_state_seconds_sum{kind="vm",state="starting",trigger="operation_failed"} 7`,
			`cloudbus_transitional_state_seconds_sum{kind="vm",state="starting",trigger="operation_succeeded"} 3`,
			`cloudbus_transitional_state_seconds_count{kind="vm",state="stopping",trigger="report_stopped"} 1`,
			`cloudbus_transitional_state_seconds_sum{kind="vm",state="expunging",trigger="operation_succeeded"} 120`,
			`cloudbus_transitional_state_seconds_count{kind="vm",state="expunging",trigger="operation_succeeded"} 1`,
		)
		r.wantNone(`cloudbus_transitional_state_seconds_count{kind="vm",state="stopped"`)
		r.wantNone(`cloudbus_transitional_state_seconds_count{kind="vm",state="expunging",trigger="operation_failed"`)
		r.close()
	})
}

func TestStuckUpdatesAndRemovals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, metrics.Options{}, nil)
		r.create("a")
		r.fire("a", vm.StartRequested)
		time.Sleep(25 * time.Minute)
		if n, err := r.engine.ReportStuck(ctx); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		for _, cpus := range []int{4, 4} {
			_, _ = r.vms.Update(ctx, "a", func(v *vm.VM) error { v.CPUs = cpus; return nil })
		}
		r.create("b")
		r.fire("b", vm.ExpungeRequested)
		r.fire("b", vm.OperationSucceeded)
		time.Sleep(time.Second)
		if done, err := r.vms.Purge(ctx, 0); err != nil || done.Removed != 1 {
			t.Fatal(done, err)
		}
		r.want(
			`cloudbus_stuck_total{kind="vm",state="starting"} 1`,
			`cloudbus_stuck_total{kind="vm",state="stopping"} 0`,
			`cloudbus_updates_total{kind="vm",result="updated"} 1`,
			`cloudbus_updates_total{kind="vm",result="unchanged"} 1`,
			`cloudbus_removals_total{kind="vm",result="removed"} 1`,
			`cloudbus_resources{kind="vm",state="starting"} 1`,
			`cloudbus_resources{kind="vm",state="expunged"} 0`,
		)
		r.close()
	})
}

func TestTriggersAreUnknownUntilAnEngineIsWatched(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	m, err := metrics.New(metrics.Options{Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	m.After(ctx, resources.Change{Kind: "vm", Action: resources.Moved, Trigger: vm.StartRequested, From: vm.Stopped, To: vm.Starting}, nil)
	want := `# HELP cloudbus_transitions_total Triggers fired at resources, by how that ended.
# TYPE cloudbus_transitions_total counter
cloudbus_transitions_total{kind="vm",result="moved",trigger="unknown"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "cloudbus_transitions_total"); err != nil {
		t.Error(err)
	}
	if err := m.Close(ctx); err != nil {
		t.Error(err)
	}
}

func TestWrongUse(t *testing.T) {
	for name, o := range map[string]metrics.Options{
		"CountEvery": {CountEvery: -1}, "CountWait": {CountWait: -1}, "CountLimit": {CountLimit: -1},
	} {
		o.Registerer = prometheus.NewRegistry()
		if _, err := metrics.New(o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s below 0: %v", name, err)
		}
	}
	r := newRig(t, metrics.Options{}, nil)
	if _, err := metrics.New(metrics.Options{Registerer: r.registry}); err == nil {
		t.Error("registered twice")
	}
	if err := r.metrics.Watch(r.engine); !errors.Is(err, metrics.ErrWatching) {
		t.Errorf("watched twice: %v", err)
	}
	if err := r.metrics.Watch(nil); err == nil {
		t.Error("watched nothing")
	}
	r.close()
	if page := r.scrape(); page != "" {
		t.Errorf("after Close there is\n%s", page)
	}
	if err := r.metrics.Watch(r.engine); !errors.Is(err, metrics.ErrWatching) {
		t.Errorf("watched after Close: %v", err)
	}
	if _, err := metrics.New(metrics.Options{Registerer: r.registry}); err != nil {
		t.Errorf("the names aren't free after Close: %v", err)
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	r := newRig(t, metrics.Options{}, nil)
	defer r.close()
	now := time.Now()
	for _, c := range []struct {
		name   string
		change resources.Change
		err    error
	}{
		{"a move", resources.Change{Kind: "vm", Action: resources.Moved, Trigger: vm.OperationSucceeded, From: vm.Starting, To: vm.Running, Since: now, Time: now}, nil},
		{"nothing to do", resources.Change{Kind: "vm", Action: resources.Unchanged, Trigger: vm.StartRequested, From: vm.Running, To: vm.Running}, nil},
		{"a creation", resources.Change{Kind: "vm", Action: resources.Created, To: vm.Stopped}, nil},
	} {
		if n := testing.AllocsPerRun(100, func() { r.metrics.After(ctx, c.change, c.err) }); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

func BenchmarkAfter(b *testing.B) {
	m, err := metrics.New(metrics.Options{Registerer: prometheus.NewRegistry()})
	if err != nil {
		b.Fatal(err)
	}
	c := resources.Change{Kind: "vm", Action: resources.Moved, Trigger: vm.StartRequested, From: vm.Stopped, To: vm.Starting}
	b.ReportAllocs()
	for b.Loop() {
		m.After(ctx, c, nil)
	}
}
