package main

import (
	"context"
	"io"
	"log"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/bridge/transporttest"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"
)

var discard = log.New(io.Discard, "", 0)

// bench is a reporter to a broker in memory.
type bench struct {
	t        *testing.T
	broker   *transporttest.Memory
	reporter *status.Reporter
	seen     int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, broker: transporttest.New()}
	var err error
	b.reporter, err = status.NewReporter(b.broker, status.ReporterOptions{Provider: "vcenter-1", Window: time.Millisecond, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.reporter.Close(context.Background()) })
	return b
}

// expect waits for a report.
func (b *bench) expect(id string, want status.Status) status.Report {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	for {
		letters, err := b.broker.Until(ctx, b.seen+1)
		if err != nil {
			b.t.Fatalf("%s of %s wasn't reported: %v; there is %v", want, id, err, b.all())
		}
		r, err := status.Decode(letters[b.seen].Letter)
		if err != nil {
			b.t.Fatal(err)
		}
		b.seen++
		if r.ResourceID == id && r.Status == want {
			return r
		}
	}
}

func (b *bench) all() (list []string) {
	for _, l := range b.broker.Letters() {
		if r, err := status.Decode(l.Letter); err == nil {
			list = append(list, r.ResourceID+" "+string(r.Status))
		}
	}
	return list
}

func TestWhatHappensWhileTheVCenterIsAwayIsReportedAfterwards(t *testing.T) {
	t.Parallel()
	v, b := newVCenter(t), newBench(t)
	refs := v.all()
	off, gone := refs[0], refs[1]
	offID, goneID := v.uuid(off), v.uuid(gone)
	defer v.watch(Options{Reporter: b.reporter, Confirm: time.Millisecond, Retry: 50 * time.Millisecond})()
	for _, ref := range refs {
		b.expectAny(v.uuid(ref), status.Running)
	}
	v.cut(true)
	v.powerOff(off)
	v.powerOff(gone)
	v.destroy(gone)
	v.cut(false)
	b.expect(offID, status.Stopped)
	b.expect(goneID, status.Deleted)
	if slices.Contains(b.reporter.Known("vm"), goneID) {
		t.Error("what is gone is still known")
	}
}

// expectAny is expect for reports that come in any order: it looks from the beginning.
func (b *bench) expectAny(id string, want status.Status) {
	b.t.Helper()
	seen := b.seen
	b.seen = 0
	b.expect(id, want)
	b.seen = max(seen, b.seen)
}

func TestVMsAreKnownByWhatTheOperatorChose(t *testing.T) {
	t.Parallel()
	t.Run("extra config", func(t *testing.T) {
		t.Parallel()
		v, b := newVCenter(t), newBench(t)
		defer v.watch(Options{Reporter: b.reporter, IdentifyBy: ByExtraConfig})()
		ref := v.create("mine", &types.OptionValue{Key: DefaultIDKey, Value: "vm-42"})
		b.expect("vm-42", status.Stopped)
		v.powerOn(ref)
		b.expect("vm-42", status.Running)
		v.create("its clone", &types.OptionValue{Key: DefaultIDKey, Value: "vm-42"}) // inherits the id
		v.powerOff(ref)
		v.destroy(ref)
		b.expect("vm-42", status.Stopped)
		for _, r := range b.broker.Letters() {
			if got, err := status.Decode(r.Letter); err != nil || got.ResourceID != "vm-42" || got.Status == status.Deleted {
				t.Errorf("%+v, %v", got, err)
			}
		}
	})
	t.Run("attribute", func(t *testing.T) {
		t.Parallel()
		v, b := newVCenter(t), newBench(t)
		fields, err := object.GetCustomFieldsManager(v.client.Client)
		v.must(err)
		def, err := fields.Add(t.Context(), "owner.id", kindVM, nil, nil)
		v.must(err)
		ref := v.anyVM()
		v.must(fields.Set(t.Context(), ref, def.Key, "vm-7")) // before: the simulator tells nobody
		defer v.watch(Options{Reporter: b.reporter, IdentifyBy: ByAttribute, IDKey: "owner.id"})()
		b.expect("vm-7", status.Running)
		v.powerOff(ref)
		b.expect("vm-7", status.Stopped)
	})
}

func TestWords(t *testing.T) {
	on, off := types.VirtualMachinePowerStatePoweredOn, types.VirtualMachinePowerStatePoweredOff
	for name, c := range map[string]struct {
		m     machine
		doing operation
		want  status.Status
	}{
		"on":                       {machine{power: on}, nothing, status.Running},
		"off":                      {machine{power: off}, nothing, status.Stopped},
		"suspended":                {machine{power: types.VirtualMachinePowerStateSuspended}, nothing, status.Paused},
		"shutting down":            {machine{power: on, guest: "shuttingDown"}, nothing, status.Stopping},
		"being made":               {machine{power: off}, creating, status.Provisioning},
		"made, on, task goes on":   {machine{power: on}, creating, status.Running},
		"being destroyed":          {machine{power: off}, destroying, status.Deleting},
		"orphaned":                 {machine{power: on, connection: types.VirtualMachineConnectionStateOrphaned}, nothing, status.Error},
		"inaccessible":             {machine{power: off, connection: types.VirtualMachineConnectionStateInaccessible}, destroying, status.Error},
		"its host is disconnected": {machine{power: on, connection: types.VirtualMachineConnectionStateDisconnected}, nothing, status.Unknown},
		"connected":                {machine{power: on, connection: types.VirtualMachineConnectionStateConnected}, nothing, status.Running},
	} {
		t.Run(name, func(t *testing.T) {
			if s, known := status.VMware.Map(c.m.word(c.doing)); s != c.want || !known {
				t.Errorf("%q is %s, %v", c.m.word(c.doing), s, known)
			}
		})
	}
	if w := (&machine{}).word(nothing); w != "" {
		t.Errorf("nothing is known, and it says %q", w)
	}
}

func TestTasks(t *testing.T) {
	ref := types.ManagedObjectReference{Type: kindVM, Value: "vm-1"}
	other := types.ManagedObjectReference{Type: kindVM, Value: "vm-2"}
	for name, c := range map[string]struct {
		info types.TaskInfo
		want task
	}{
		"destroy":          {types.TaskInfo{DescriptionId: "VirtualMachine.destroy", State: "running", Entity: &ref}, task{ref, destroying}},
		"destroyed":        {types.TaskInfo{DescriptionId: "VirtualMachine.destroy", State: "success", Entity: &ref}, task{}},
		"clone":            {types.TaskInfo{DescriptionId: "VirtualMachine.clone", State: "running", Entity: &ref, Result: other}, task{other, creating}},
		"clone, early":     {types.TaskInfo{DescriptionId: "VirtualMachine.clone", State: "queued", Entity: &ref}, task{}},
		"something else":   {types.TaskInfo{DescriptionId: "VirtualMachine.powerOn", State: "running", Entity: &ref}, task{}},
		"of another thing": {types.TaskInfo{DescriptionId: "VirtualMachine.destroy", State: "running"}, task{}},
	} {
		if got, _ := readTask(c.info); got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	u := &url.URL{Scheme: "https", Host: "vcenter", User: url.UserPassword("a", "b")}
	r := newBench(t).reporter
	for name, o := range map[string]Options{
		"no URL":      {Reporter: r},
		"no user":     {Reporter: r, URL: &url.URL{Host: "vcenter"}},
		"no reporter": {URL: u},
		"identity":    {Reporter: r, URL: u, IdentifyBy: "name"},
		"confirm":     {Reporter: r, URL: u, Confirm: -1},
	} {
		if _, err := NewProvider(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
