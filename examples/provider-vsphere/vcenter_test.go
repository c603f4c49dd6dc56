package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// vcenter is govmomi's simulator, and a client of it. Providers reach it through a proxy that can be cut.
type vcenter struct {
	t      *testing.T
	client *govmomi.Client
	finder *find.Finder
	proxy  *httptest.Server
	away   atomic.Bool
	user   *url.Userinfo
	model  *simulator.Model

	connections atomic.Int64 // of providers
	mu          sync.Mutex
	calls       map[string]int
}

func newVCenter(t *testing.T) *vcenter {
	t.Helper()
	model := simulator.VPX()
	model.Machine = 2
	v := &vcenter{t: t, model: model, calls: map[string]int{}}
	v.must(model.Create())
	t.Cleanup(model.Remove)
	sim := model.Service.NewServer()
	t.Cleanup(sim.Close)
	var err error
	v.user = sim.URL.User
	v.client, err = govmomi.NewClient(context.Background(), sim.URL, true)
	v.must(err)
	t.Cleanup(func() { v.client.Logout(context.Background()); v.client.CloseIdleConnections() })
	v.finder = find.NewFinder(v.client.Client)
	center, err := v.finder.DefaultDatacenter(t.Context())
	v.must(err)
	v.finder.SetDatacenter(center)

	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	through := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: sim.URL.Host}) }, ErrorLog: discard}
	v.proxy = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v.away.Load() {
			http.Error(w, "the vCenter is away", http.StatusServiceUnavailable)
			return
		}
		v.count(r)
		through.ServeHTTP(w, r)
	}))
	v.proxy.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			v.connections.Add(1)
		case http.StateClosed, http.StateHijacked:
			v.connections.Add(-1)
		}
	}
	v.proxy.Start()
	t.Cleanup(v.proxy.Close)
	return v
}

var callName = regexp.MustCompile(`<Body><(\w+)`)

// count reads a request, and leaves it there.
func (v *vcenter) count(r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	if name := callName.FindSubmatch(text); name != nil {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.calls[string(name[1])]++
	}
}

// called is how often providers have called a method.
func (v *vcenter) called(name string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.calls[name]
}

// endSessions has the sessions of providers expire.
func (v *vcenter) endSessions() {
	v.t.Helper()
	ctx := v.t.Context()
	manager := session.NewManager(v.client.Client)
	mine, err := manager.UserSession(ctx)
	v.must(err)
	var of mo.SessionManager
	v.must(property.DefaultCollector(v.client.Client).RetrieveOne(ctx, manager.Reference(), []string{"sessionList"}, &of))
	for _, s := range of.SessionList {
		if s.Key != mine.Key {
			v.must(manager.TerminateSession(ctx, []string{s.Key}))
		}
	}
}

// inaccessible takes a VM's configuration away, as a datastore does that is lost.
func (v *vcenter) inaccessible(ref types.ManagedObjectReference) (config *types.VirtualMachineConfigInfo) {
	config = v.simulated(ref).Config
	v.connect(ref, types.VirtualMachineConnectionStateInaccessible, nil)
	return config
}

func (v *vcenter) accessible(ref types.ManagedObjectReference, config *types.VirtualMachineConfigInfo) {
	v.connect(ref, types.VirtualMachineConnectionStateConnected, config)
}

func (v *vcenter) simulated(ref types.ManagedObjectReference) *simulator.VirtualMachine {
	return v.model.Map().Get(ref).(*simulator.VirtualMachine)
}

func (v *vcenter) connect(ref types.ManagedObjectReference, state types.VirtualMachineConnectionState, config *types.VirtualMachineConfigInfo) {
	vm, ctx := v.simulated(ref), v.model.Service.Context
	ctx.WithLock(vm, func() {
		vm.Config = config
		changes := []types.PropertyChange{{Name: propConnection, Val: state}}
		if config != nil {
			changes = append(changes, types.PropertyChange{Name: propUUID, Val: config.InstanceUuid}, types.PropertyChange{Name: propExtra, Val: config.ExtraConfig})
		}
		ctx.Update(vm, changes)
	})
}

// cut ends the providers' connections, and lets none in until it is called with false.
func (v *vcenter) cut(away bool) {
	v.away.Store(away)
	if away {
		v.proxy.CloseClientConnections()
	}
}

// watch runs a provider; stop ends it and waits.
func (v *vcenter) watch(o Options) (stop func()) {
	v.t.Helper()
	u, err := url.Parse(v.proxy.URL + "/sdk")
	v.must(err)
	u.User = v.user
	o.URL, o.Logger = u, quiet
	p, err := NewProvider(o)
	v.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Run(ctx)
	}()
	return func() { cancel(); <-done }
}

func (v *vcenter) must(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}

func (v *vcenter) vm(ref types.ManagedObjectReference) *object.VirtualMachine {
	return object.NewVirtualMachine(v.client.Client, ref)
}

// all lists the VMs.
func (v *vcenter) all() []types.ManagedObjectReference {
	v.t.Helper()
	vms, err := v.finder.VirtualMachineList(v.t.Context(), "*")
	v.must(err)
	var refs []types.ManagedObjectReference
	for _, vm := range vms {
		refs = append(refs, vm.Reference())
	}
	return refs
}

func (v *vcenter) anyVM() types.ManagedObjectReference { return v.all()[0] }

func (v *vcenter) uuid(ref types.ManagedObjectReference) string {
	v.t.Helper()
	var vm mo.VirtualMachine
	v.must(property.DefaultCollector(v.client.Client).RetrieveOne(v.t.Context(), ref, []string{propUUID}, &vm))
	return vm.Config.InstanceUuid
}

func (v *vcenter) wait(task *object.Task, err error) *types.TaskInfo {
	v.t.Helper()
	v.must(err)
	info, err := task.WaitForResult(v.t.Context())
	v.must(err)
	return info
}

func (v *vcenter) powerOn(ref types.ManagedObjectReference) {
	v.t.Helper()
	v.wait(v.vm(ref).PowerOn(v.t.Context()))
}

func (v *vcenter) powerOff(ref types.ManagedObjectReference) {
	v.t.Helper()
	v.wait(v.vm(ref).PowerOff(v.t.Context()))
}

func (v *vcenter) suspend(ref types.ManagedObjectReference) {
	v.t.Helper()
	v.wait(v.vm(ref).Suspend(v.t.Context()))
}

func (v *vcenter) destroy(ref types.ManagedObjectReference) {
	v.t.Helper()
	v.wait(v.vm(ref).Destroy(v.t.Context()))
}

// create makes a VM, which is off.
func (v *vcenter) create(name string, extra ...types.BaseOptionValue) types.ManagedObjectReference {
	v.t.Helper()
	ctx := v.t.Context()
	folder, err := v.finder.DefaultFolder(ctx)
	v.must(err)
	pool, err := v.finder.ResourcePool(ctx, "*/Resources")
	if err != nil {
		pools, listErr := v.finder.ResourcePoolList(ctx, "*")
		v.must(listErr)
		pool = pools[0]
	}
	info := v.wait(folder.CreateVM(ctx, types.VirtualMachineConfigSpec{
		Name: name, GuestId: string(types.VirtualMachineGuestOsIdentifierOtherGuest), NumCPUs: 1, MemoryMB: 64, ExtraConfig: extra,
		Files: &types.VirtualMachineFileInfo{VmPathName: "[LocalDS_0]"},
	}, pool, nil))
	return info.Result.(types.ManagedObjectReference)
}
