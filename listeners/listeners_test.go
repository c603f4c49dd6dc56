package listeners_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

func newVMs(t *testing.T, l ...resources.Listener) (*resources.Kind[vm.VM], *resources.Engine, *memstore.Store) {
	t.Helper()
	store := memstore.New(memstore.Options{})
	quiet := slog.New(slog.DiscardHandler)
	b := bus.New(bus.Options{Logger: quiet, Source: "test", Journal: store.Journal()})
	t.Cleanup(func() { _ = b.Close(ctx) })
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC).Add(-time.Millisecond)
	tick := func() time.Time { now = now.Add(time.Millisecond); return now } // a millisecond a look
	engine, err := resources.New(resources.Options{Store: store, Bus: b, Logger: quiet, Listeners: l, Now: tick})
	if err != nil {
		t.Fatal(err)
	}
	vms, err := resources.Register[vm.VM](engine, vm.Machine)
	if err != nil {
		t.Fatal(err)
	}
	return vms, engine, store
}

func records(t *testing.T, s *memstore.Store) []bus.Record {
	t.Helper()
	all, err := s.Journal().Read(ctx, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPostAppendsTheEventOfEachChange(t *testing.T) {
	vms, _, store := newVMs(t, listeners.Post())
	v, err := vms.Create(ctx, vm.VM{}, resources.Actor("user:1"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := vms.Fire(ctx, v.ID, vm.StartRequested, resources.Actor("user:2"), resources.At(time.Date(2026, 5, 1, 12, 0, 1, 0, time.UTC)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vms.Fire(ctx, v.ID, vm.StartRequested); err != nil { // Same: no news
		t.Fatal(err)
	}
	all := records(t, store)
	if len(all) != 2 {
		t.Fatalf("%d events, want 2", len(all))
	}
	if h := all[1].Header; h.ID != c.ID || h.Type != "vm.state.starting" || h.Actor != "user:2" || h.Version != 2 || !h.Time.Equal(c.Time) || h.CorrelationID == "" {
		t.Errorf("header %+v, change %+v", h, c.Change)
	}
}

func TestWithoutPostNothingIsPosted(t *testing.T) {
	vms, _, store := newVMs(t)
	if _, err := vms.Create(ctx, vm.VM{}); err != nil {
		t.Fatal(err)
	}
	if n := len(records(t, store)); n != 0 {
		t.Errorf("%d events", n)
	}
}

func TestAudit(t *testing.T) {
	var out bytes.Buffer
	plain := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: plain}))
	vms, _, _ := newVMs(t, listeners.Audit(listeners.AuditOptions{Logger: log}))
	if _, err := vms.Create(ctx, vm.VM{Object: resources.Object{ID: "v1", Tenant: "acme"}}, resources.Actor("user:1")); err != nil {
		t.Fatal(err)
	}
	for _, on := range []string{"report_running", "start_requested", "pause_requested", "destroy_requested"} {
		_, _ = vms.Fire(ctx, "v1", trigger(on), resources.Actor("user:1"), resources.Reason("test"))
	}
	_, _ = vms.Fire(ctx, "nobody", vm.StartRequested)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	want := [][]string{
		{"level=INFO", `msg="resource changed"`, "kind=vm", "id=v1", "action=created", "tenant=acme", "to=stopped", "actor=user:1", "version=1", "duration=1ms"},
		{"level=INFO", "action=moved", "trigger=report_running", "from=stopped", "to=running", "reason=test", "version=2", "spent=2ms", "duration=1ms"},
		{"level=DEBUG", `msg="resource unchanged"`, "trigger=start_requested", "from=running", "to=running"},
		{"level=INFO", "from=running", "to=pausing"},
		{"level=WARN", `msg="resource not changed"`, "trigger=destroy_requested", "from=pausing", "error=", "operation_succeeded"},
		{"level=WARN", "id=nobody", "trigger=start_requested", "not found", "duration=1ms"},
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), out.String())
	}
	for i, parts := range want {
		for _, part := range parts {
			if !strings.Contains(lines[i], part) {
				t.Errorf("line %d: %s\nlacks %s", i+1, lines[i], part)
			}
		}
	}
}

func TestAuditLevels(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil)) // from Info on
	vms, _, _ := newVMs(t, listeners.Audit(listeners.AuditOptions{Logger: log, Changes: slog.LevelDebug, Refused: slog.LevelError, Unchanged: slog.LevelInfo}))
	v, err := vms.Create(ctx, vm.VM{})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = vms.Fire(ctx, v.ID, vm.StopRequested)
	_, _ = vms.Fire(ctx, v.ID, vm.PauseRequested)
	if got := out.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "level=INFO msg=\"resource unchanged\"") || !strings.Contains(got, "level=ERROR") {
		t.Errorf("logged:\n%s", got)
	}
}

func TestFuncsAndFor(t *testing.T) {
	errNo := errors.New("no")
	var phases []string
	all := listeners.Funcs{
		ListenerName: "all",
		OnBefore: func(_ context.Context, c resources.Change) error {
			phases = append(phases, "before "+c.Kind)
			return nil
		},
		OnInTx: func(_ context.Context, _ resources.Tx, c resources.Change) error {
			phases = append(phases, "in tx "+c.Kind)
			return nil
		},
		OnAfter: func(_ context.Context, c resources.Change, _ error) { phases = append(phases, "after "+c.Kind) },
	}
	none := listeners.Funcs{ListenerName: "none"}
	strict := listeners.Funcs{ListenerName: "strict", OnBefore: func(context.Context, resources.Change) error { return errNo }}
	vms, engine, _ := newVMs(t, listeners.For(all, "nic", "volume"), none, listeners.For(strict, "volume"))
	nics, err := resources.Register[nic.NIC](engine, nic.Machine)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vms.Create(ctx, vm.VM{}); err != nil {
		t.Fatal(err)
	}
	if len(phases) != 0 {
		t.Errorf("a listener for NICs saw %q", phases)
	}
	if _, err := nics.Create(ctx, nic.NIC{}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(phases, ", "); got != "before nic, in tx nic, after nic" {
		t.Errorf("phases: %s", got)
	}
	if l := listeners.For(strict, "vm"); l.Name() != "strict" {
		t.Errorf("its name is %q", l.Name())
	}
	if listeners.For(nil, "vm") != nil {
		t.Error("For made a listener of nil")
	}
}
