package cascade_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/cascade"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

// expunged makes a VM that is expunged, and whose root volume is being detached; then the plugin is down.
func expunged(t *testing.T) *house {
	h := open(t, cascade.Options{})
	h.mustStart()
	h.cloud("web")
	h.fire("vm", "web", vm.StopRequested, vm.OperationSucceeded, vm.DestroyRequested, vm.ExpungeRequested, vm.OperationSucceeded)
	h.settle()
	h.want(map[string]fsm.State{"volume/web-root": volume.Detaching})
	h.stop()
	return h
}

// TestThenOfARenamedVolume: what follows the end of an operation isn't lost because somebody edits the resource before the plugin is there.
func TestThenOfARenamedVolume(t *testing.T) {
	h := expunged(t)
	h.fire("volume", "web-root", volume.OperationSucceeded)
	if _, err := h.kind("volume").Update(t.Context(), "web-root", func(obj any) error { obj.(*volume.Volume).Name = "old root"; return nil }); err != nil {
		t.Fatal(err)
	}
	h.mustStart()
	h.settle()
	h.want(map[string]fsm.State{"volume/web-root": volume.Destroyed})
}

// TestThenOfAVolumeThatIsUsedAgain: nothing is destroyed that somebody has taken into use meanwhile.
func TestThenOfAVolumeThatIsUsedAgain(t *testing.T) {
	for name, use := range map[string]func(h *house){
		"resized": func(h *house) { h.fire("volume", "web-root", volume.ResizeRequested, volume.OperationSucceeded) },
		"given to another VM": func(h *house) {
			_, err := h.kind("volume").Update(h.t.Context(), "web-root", func(obj any) error { obj.(*volume.Volume).VMID = "db"; return nil })
			if err != nil {
				h.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := expunged(t)
			h.make(&vm.VM{Object: object("db")})
			h.fire("volume", "web-root", volume.OperationSucceeded)
			use(h)
			h.mustStart()
			h.settle()
			h.want(map[string]fsm.State{"volume/web-root": volume.Ready})
			if got := h.count("fired"); got != "0" {
				t.Errorf("%s were fired, want 0", got)
			}
		})
	}
}

// TestOverCountsWhatIsOver: a change to a state that a rule never was for is no consequence that came too late.
func TestOverCountsWhatIsOver(t *testing.T) {
	h := open(t, cascade.Options{})
	h.mustStart()
	h.cloud("web")
	h.settle()
	if got := h.count("over"); got != "0" {
		t.Errorf("over counts %s after a start, want 0", got)
	}
	h.stop()
	h.fire("vm", "web", vm.StopRequested, vm.OperationSucceeded, vm.DestroyRequested, vm.RecoveryRequested)
	h.mustStart()
	h.settle()
	if got := h.count("over"); got != "2" {
		t.Errorf("over counts %s, want 2: NICs and data volumes of one that was recovered", got)
	}
}

// explosive is a logger's handler that panics.
type explosive struct{ slog.Handler }

func (explosive) Enabled(context.Context, slog.Level) bool { return true }
func (e explosive) WithAttrs([]slog.Attr) slog.Handler     { return e }
func (e explosive) WithGroup(string) slog.Handler          { return e }
func (explosive) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "a consequence is refused by the resource's machine" {
		panic("the disk of the log is full")
	}
	return nil
}

// TestAPanicWhileFiring parks the event, and ends neither the process nor the others' consequences.
func TestAPanicWhileFiring(t *testing.T) {
	refuse := listeners.Funcs{ListenerName: "refuse", OnInTx: func(_ context.Context, _ resources.Tx, c resources.Change) error {
		if c.Trigger == nic.ReleaseRequested {
			return &fsm.TransitionError{}
		}
		return nil
	}}
	h := open(t, cascade.Options{Tries: 1}, refuse)
	var err error
	if h.manager, err = plugins.NewManager(plugins.Options{Bus: h.bus, Logger: slog.New(explosive{})}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.manager.Add(cascade.New(h.engine, h.options)), h.manager.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.stop)
	h.cloud("web")
	h.settle() // else the NIC may be seen to arrive when the VM is gone already, which is another event that fails
	h.fire("vm", "web", vm.StopRequested, vm.OperationSucceeded, vm.DestroyRequested)
	h.settle()
	h.want(map[string]fsm.State{"nic/web-nic": nic.Reserved, "volume/web-data": volume.Detaching})
	if got := h.count("failed"); got != "1" {
		t.Errorf("failed counts %s, want 1", got)
	}
}
