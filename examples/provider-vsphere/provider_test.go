package main

import (
	"context"
	"io"
	"log"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	b.report(nil)
	return b
}

// report starts a reporter, in the place of one that was closed.
func (b *bench) report(spool status.Spool) {
	b.t.Helper()
	var err error
	b.reporter, err = status.NewReporter(b.broker, status.ReporterOptions{Provider: "vcenter-1", Window: time.Millisecond, Spool: spool, Logger: quiet})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(b.close)
}

func (b *bench) close() { b.reporter.Close(context.Background()) }

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

// until waits until condition is true.
func (b *bench) until(condition func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("not in time; there is %v", b.all())
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

func TestASessionThatExpiredIsMadeAnew(t *testing.T) {
	t.Parallel()
	v, b := newVCenter(t), newBench(t)
	ref := v.anyVM()
	id := v.uuid(ref)
	defer v.watch(Options{Reporter: b.reporter, Retry: time.Millisecond})()
	b.expectAny(id, status.Running)
	for range 3 {
		v.endSessions()
		v.powerOff(ref)
		b.expect(id, status.Stopped)
		v.endSessions()
		v.powerOn(ref)
		b.expect(id, status.Running)
	}
}

// A VM whose files the vCenter can't reach has no configuration to read an id from.
func TestAVMWithoutConfigurationKeepsItsID(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]IdentifyBy{"instance UUID": ByInstanceUUID, "extra config": ByExtraConfig} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, b := newVCenter(t), newBench(t)
			ref := v.create("mine", &types.OptionValue{Key: DefaultIDKey, Value: "vm-42"})
			id := "vm-42"
			if by == ByInstanceUUID {
				id = v.uuid(ref)
			}
			defer v.watch(Options{Reporter: b.reporter, IdentifyBy: by, Confirm: time.Millisecond, Retry: 50 * time.Millisecond})()
			b.expectAny(id, status.Stopped)
			config := v.inaccessible(ref)
			b.expect(id, status.Error)
			v.endSessions()
			v.connect(ref, types.VirtualMachineConnectionStateDisconnected, nil)
			b.expect(id, status.Unknown)
			b.until(func() bool { return v.called("Login") == 2 })
			v.connect(ref, types.VirtualMachineConnectionStateConnected, nil) // its files are there again, and have yet to be read
			b.expect(id, status.Stopped)
			v.accessible(ref, config)
			v.powerOn(ref)
			b.expect(id, status.Running)
			if slices.Contains(b.all(), id+" DELETED") {
				t.Errorf("what is inaccessible isn't gone: %v", b.all())
			}
		})
	}
}

// The simulator tells nobody that a configuration goes.
func TestAConfigurationThatGoesLeavesTheID(t *testing.T) {
	b := newBench(t)
	tell := b.take(ByInstanceUUID)
	tell("vm-1", types.PropertyChange{Name: propUUID, Val: "u-1"}, types.PropertyChange{Name: propPower, Val: types.VirtualMachinePowerStatePoweredOff})
	b.expect("u-1", status.Stopped)
	tell("vm-1", types.PropertyChange{Name: propUUID}, types.PropertyChange{Name: propConnection, Val: types.VirtualMachineConnectionStateInaccessible})
	b.expect("u-1", status.Error)
}

func TestAnIDThatAVMGivesUpIsTheClones(t *testing.T) {
	b := newBench(t)
	tell := b.take(ByExtraConfig)
	id := func(id string) types.PropertyChange {
		return types.PropertyChange{Name: propExtra, Val: types.ArrayOfOptionValue{OptionValue: []types.BaseOptionValue{&types.OptionValue{Key: DefaultIDKey, Value: id}}}}
	}
	tell("vm-1", id("a"), types.PropertyChange{Name: propPower, Val: types.VirtualMachinePowerStatePoweredOff})
	b.expect("a", status.Stopped)
	tell("vm-2", id("a"), types.PropertyChange{Name: propPower, Val: types.VirtualMachinePowerStatePoweredOn})
	tell("vm-1", id("b"))
	b.expectAny("b", status.Stopped)
	b.expectAny("a", status.Running)
}

// take returns what tells a provider of changes of a VM, without a vCenter.
func (b *bench) take(by IdentifyBy) (tell func(vm string, changes ...types.PropertyChange)) {
	b.t.Helper()
	p, err := NewProvider(Options{URL: &url.URL{User: url.User("u")}, Reporter: b.reporter, Logger: quiet})
	if err != nil {
		b.t.Fatal(err)
	}
	p.machines, p.owners = map[types.ManagedObjectReference]*machine{}, map[string]types.ManagedObjectReference{}
	w := &watch{provider: p, identity: identity{by: by, key: DefaultIDKey}}
	return func(vm string, changes ...types.PropertyChange) {
		p.take(b.t.Context(), w, []types.ObjectUpdate{{Obj: types.ManagedObjectReference{Type: kindVM, Value: vm}, Kind: types.ObjectUpdateKindModify, ChangeSet: changes}})
	}
}

// With one among the VMs that doesn't say who it is, nobody knows which are missing.
func TestAfterARestartAVMWithoutConfigurationIsNotTakenForGone(t *testing.T) {
	t.Parallel()
	v, b := newVCenter(t), newBench(t)
	path := filepath.Join(t.TempDir(), "spool")
	b.close()
	b.report(openSpool(t, path))
	refs := v.all()
	lost, gone := v.uuid(refs[0]), v.uuid(refs[1])
	stop := v.watch(Options{Reporter: b.reporter})
	b.expectAny(lost, status.Running)
	b.expectAny(gone, status.Running)
	stop()
	b.close()

	config := v.inaccessible(refs[0])
	v.powerOff(refs[1])
	v.destroy(refs[1])
	b.report(openSpool(t, path))
	waits, reads := v.called("WaitForUpdatesEx"), 0
	defer v.watch(Options{Reporter: b.reporter, Confirm: time.Millisecond})()
	b.until(func() bool { reads = v.called("RetrievePropertiesEx"); return v.called("WaitForUpdatesEx") > waits+1 })
	b.until(func() bool { // it looks for them again and again
		return v.called("RetrievePropertiesEx") > reads+2 || slices.Contains(b.all(), lost+" DELETED")
	})
	v.accessible(refs[0], config)
	b.expect(gone, status.Deleted)
	if slices.Contains(b.all(), lost+" DELETED") {
		t.Errorf("what is inaccessible isn't gone: %v", b.all())
	}
}

func TestVMsThatWentWhileTheProcessWasDownAreReported(t *testing.T) {
	t.Parallel()
	for name, all := range map[string]bool{"some": false, "all": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, b := newVCenter(t), newBench(t)
			path := filepath.Join(t.TempDir(), "spool")
			b.close()
			b.report(openSpool(t, path))
			stop := v.watch(Options{Reporter: b.reporter})
			refs := v.all()
			var ids []string
			for _, ref := range refs {
				ids = append(ids, v.uuid(ref))
				b.expectAny(ids[len(ids)-1], status.Running)
			}
			stop()
			b.close()
			b.broker.Away(true)
			if !all {
				refs, ids = refs[:1], ids[:1]
			}
			for _, ref := range refs {
				v.powerOff(ref)
				v.destroy(ref)
			}
			b.report(openSpool(t, path))
			stop = v.watch(Options{Reporter: b.reporter, Confirm: time.Millisecond})
			b.until(func() bool { return b.reporter.Stats().Waiting >= len(ids) })
			stop()
			b.close() // and the broker hasn't heard of it

			b.report(openSpool(t, path))
			b.broker.Away(false)
			for _, id := range ids {
				b.expectAny(id, status.Deleted)
			}
		})
	}
}

func TestWrongCredentialsAreTriedAgainAndLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	v, b := newVCenter(t), newBench(t)
	right := v.user
	v.user = url.UserPassword("nobody", "") // the only password that the simulator refuses
	stop := v.watch(Options{Reporter: b.reporter, Retry: time.Millisecond})
	b.until(func() bool { return v.called("Login") >= 20 })
	if n := v.connections.Load(); n > 3 {
		t.Errorf("%d connections are open after 20 logins that were refused", n)
	}
	stop()
	v.user = right
	defer v.watch(Options{Reporter: b.reporter})()
	b.expectAny(v.uuid(v.anyVM()), status.Running)
}

func TestFlagsAreChecked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	right := []string{"-provider", "x", "-vcenter", "https://vcenter", "-user", "u", "-password-file", file}
	for says, args := range map[string][]string{
		"is required":           {"-provider", "x"},
		"flag provided but not": append(right, "-nosuch"),
		`"false" is no flag`:    append(right, "-insecure", "false", "-spool", "file"),
	} {
		if _, err := parseFlags(args); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v, want %q", args, err, says)
		}
	}
	f, err := parseFlags(right)
	if err != nil {
		t.Fatal(err)
	}
	if u, err := f.url(); err != nil || u.String() != "https://u:secret@vcenter/sdk" {
		t.Errorf("%v, %v", u, err)
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

func openSpool(t *testing.T, path string) status.Spool {
	t.Helper()
	spool, err := status.OpenFileSpool(path)
	if err != nil {
		t.Fatal(err)
	}
	return spool
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
