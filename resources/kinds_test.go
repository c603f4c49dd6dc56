package resources_test

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/cluster"
	"github.com/cloudbus-go/cloudbus/resources/container"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/host"
	"github.com/cloudbus-go/cloudbus/resources/hostadmin"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/publicip"
	"github.com/cloudbus-go/cloudbus/resources/snapshot"
	"github.com/cloudbus-go/cloudbus/resources/template"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

var column = regexp.MustCompile(`(?m)^    ([a-z_0-9]+) +(TEXT|BIGINT|BOOLEAN) +NOT NULL`)

// TestColumnsHaveTheirJSONNames: queries name fields as JSON does, and find them in the table under the same name.
func TestColumnsHaveTheirJSONNames(t *testing.T) {
	for name, kind := range map[string]interface {
		resources.Migrator
		TableName() string
	}{
		"vm": &vm.VM{}, "volume": &volume.Volume{}, "nic": &nic.NIC{}, "network": &network.Network{}, "public_ip": &publicip.PublicIP{},
		"snapshot": &snapshot.Snapshot{}, "template": &template.Template{}, "host": &host.Host{}, "host_admin": &hostadmin.HostAdmin{},
		"container": &container.Container{}, "cluster": &cluster.Cluster{},
	} {
		t.Run(name, func(t *testing.T) {
			sql := migration(t, kind)
			if !strings.Contains(sql, "CREATE TABLE "+kind.TableName()+" (") || !strings.Contains(sql, "DROP TABLE "+kind.TableName()+";") {
				t.Errorf("the migration doesn't make and drop %s", kind.TableName())
			}
			var made []string
			for _, c := range column.FindAllStringSubmatch(sql, -1) {
				made = append(made, c[1]+" "+strings.ToLower(c[2]))
			}
			var want []string
			for _, f := range reflect.VisibleFields(reflect.TypeOf(kind).Elem()) {
				if f.Anonymous {
					continue
				}
				json, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				gorm := f.Tag.Get("gorm")
				if !strings.Contains(gorm, "column:"+json+";") && len(f.Index) == 1 {
					t.Errorf("%s: the column isn't named %s: %s", f.Name, json, gorm)
				}
				want = append(want, json+" "+columnType(t, f))
			}
			if !slices.Equal(made, want) {
				t.Errorf("the migration makes\n%q, want\n%q", made, want)
			}
		})
	}
}

func columnType(t *testing.T, f reflect.StructField) string {
	t.Helper()
	switch f.Type.Kind() {
	case reflect.String, reflect.Array: // bus.ID is written as text
		return "text"
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return "bigint"
	case reflect.Bool:
		return "boolean"
	}
	if f.Type == reflect.TypeFor[time.Time]() {
		return "bigint"
	}
	t.Fatalf("%s: no column for a %v", f.Name, f.Type)
	return ""
}

func migration(t *testing.T, kind resources.Migrator) string {
	t.Helper()
	files, err := fs.Glob(kind.Migrations(), "*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("migrations %v, %v", files, err)
	}
	sql, err := fs.ReadFile(kind.Migrations(), files[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(sql)
}

// eachStore runs a test of the built-in kinds on each kind of store.
func eachStore(t *testing.T, run func(t *testing.T, e *resources.Engine)) {
	t.Run("memstore", func(t *testing.T) { run(t, engineOn(t, memstore.New(memstore.Options{}))) })
	t.Run("sqlite", func(t *testing.T) {
		store, err := sqlite.Open(filepath.Join(t.TempDir(), "kinds.db"), sqlite.Options{Logger: quiet})
		run(t, engineOn(t, opened(t, store, err)))
	})
	t.Run("postgres", func(t *testing.T) {
		store, err := postgres.Open(postgrestest.Schema(t), postgres.Options{Logger: quiet})
		run(t, engineOn(t, opened(t, store, err)))
	})
}

func opened(t *testing.T, store *gormstore.Store, err error) *gormstore.Store {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return store
}

func engineOn(t *testing.T, store resources.Store) *resources.Engine {
	t.Helper()
	b := bus.New(bus.Options{Logger: quiet, Source: "test", Journal: store.Journal()})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := b.Close(ctx); err != nil {
			t.Errorf("close the bus: %v", err)
		}
	})
	e, err := resources.New(resources.Options{Store: store, Bus: b, Logger: quiet, Listeners: []resources.Listener{listeners.Post()}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func register[T any](t *testing.T, e *resources.Engine, m *fsm.Machine) *resources.Kind[T] {
	t.Helper()
	k, err := resources.Register[T](e, m)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestKindsKeepTheirFields: every field of every kind comes back from every store.
func TestKindsKeepTheirFields(t *testing.T) {
	eachStore(t, func(t *testing.T, e *resources.Engine) {
		vms := register[vm.VM](t, e, vm.Machine)
		volumes := register[volume.Volume](t, e, volume.Machine)
		nics := register[nic.NIC](t, e, nic.Machine)
		networks := register[network.Network](t, e, network.Machine)
		snapshots := register[snapshot.Snapshot](t, e, snapshot.Machine)
		templates := register[template.Template](t, e, template.Machine)
		hosts := register[host.Host](t, e, host.Machine)
		admins := register[hostadmin.HostAdmin](t, e, hostadmin.Machine)
		containers := register[container.Container](t, e, container.Machine)
		clusters := register[cluster.Cluster](t, e, cluster.Machine)
		ips := register[publicip.PublicIP](t, e, publicip.Machine)
		// What the others name.
		exists(t, vms, vm.VM{Object: resources.Object{ID: "v"}})
		exists(t, volumes, volume.Volume{Object: resources.Object{ID: "v"}})
		exists(t, nics, nic.NIC{Object: resources.Object{ID: "c"}})
		exists(t, networks, network.Network{Object: resources.Object{ID: "n"}})
		exists(t, snapshots, snapshot.Snapshot{Object: resources.Object{ID: "s"}}, snapshot.Snapshot{Object: resources.Object{ID: "p"}})
		exists(t, templates, template.Template{Object: resources.Object{ID: "t"}})
		exists(t, hosts, host.Host{Object: resources.Object{ID: "h"}})
		exists(t, clusters, cluster.Cluster{Object: resources.Object{ID: "c"}})
		keepsFields(t, vms, vm.VM{CPUs: 4, MemoryMiB: 8192, Hypervisor: "kvm", GuestOS: "debian", Hostname: "web",
			ZoneID: "z", HostID: "h", TemplateID: "t", OfferingID: "o", EverRan: true})
		keepsFields(t, volumes, volume.Volume{SizeGiB: 20, Format: "qcow2", ZoneID: "z", Pool: "p", Path: "/x", VMID: "v",
			DeviceID: 1, TemplateID: "t", SnapshotID: "s", OfferingID: "o", WasCreated: true, WasUploaded: true})
		keepsFields(t, nics, nic.NIC{VMID: "v", NetworkID: "n", DeviceID: 2, IsDefault: true, MAC: "02:00:4c:9f:00:03",
			IPv4: "10.1.1.5", IPv4Gateway: "10.1.1.1", IPv6: "fd00:1::5", IPv6Gateway: "fe80::1"})
		keepsFields(t, networks, network.Network{Object: resources.Object{State: network.Setup}, Type: network.Shared,
			CIDR: "10.1.1.0/24", Gateway: "10.1.1.1", IPv6CIDR: "fd00:1::/64", IPv6Gateway: "fd00:1::1", VLAN: 100, DNS1: "9.9.9.9", DNS2: "2620:fe::fe",
			Domain: "example.org", ZoneID: "z", PhysicalNetworkID: "p", OfferingID: "o"})
		keepsFields(t, snapshots, snapshot.Snapshot{VolumeID: "v", ParentID: "p", Type: snapshot.Manual, SizeGiB: 20,
			Format: "qcow2", ZoneID: "z", Pool: "p", Backup: "b", Path: "/x"})
		keepsFields(t, templates, template.Template{SizeGiB: 20, Format: "qcow2", GuestOS: "debian", Arch: "x86_64",
			Hypervisor: "kvm", Boot: "uefi", URL: "https://images.example.org/debian.qcow2", Checksum: "md5:d41d8cd98f00b204e9800998ecf8427e", Public: true,
			ZoneID: "z", Path: "/x", VolumeID: "v", SnapshotID: "s"})
		keepsFields(t, hosts, host.Host{Hypervisor: "kvm", HypervisorVersion: "9.1", AgentVersion: "1.0", Arch: "x86_64", CPUs: 64,
			MemoryMiB: 524288, StorageGiB: 4000, Address: "10.0.0.5", BMCAddress: "10.0.1.5", ZoneID: "z", Rack: "r"})
		keepsFields(t, admins, hostadmin.HostAdmin{Reason: "new disks", RequestedBy: "user:42",
			Until: time.Date(2026, 11, 22, 18, 0, 0, 1, time.UTC)})
		keepsFields(t, containers, container.Container{Image: "shop/web:1.2", ClusterID: "c", Namespace: "shop",
			Node: "n", VMID: "v", MilliCPUs: 500, MemoryMiB: 256, Address: "10.244.0.5", Restarts: 1, ExitCode: 137})
		keepsFields(t, clusters, cluster.Cluster{KubernetesVersion: "1.31.2", ControlPlanes: 3, Workers: 5,
			Endpoint: "https://10.1.1.5:6443", PodCIDR: "10.244.0.0/16", ServiceCIDR: "10.96.0.0/12", NetworkID: "n", TemplateID: "t", ZoneID: "z", OfferingID: "o"})
		// Of the two NATs an address has one.
		keepsFields(t, ips, publicip.PublicIP{Address: "203.0.113.5", Gateway: "203.0.113.1", VLAN: 100, NetworkID: "n", VMID: "v", NICID: "c", StaticNAT: true, ZoneID: "z"}, "SourceNAT")
		keepsFields(t, ips, publicip.PublicIP{SourceNAT: true}, "Address", "Gateway", "VLAN", "NetworkID", "VMID", "NICID", "StaticNAT", "ZoneID")
	})
}

func exists[T any](t *testing.T, k *resources.Kind[T], all ...T) {
	t.Helper()
	if _, err := k.CreateBatch(context.Background(), all); err != nil {
		t.Fatal(err)
	}
}

// keepsFields creates v, which sets all fields of its kind but those left out.
func keepsFields[T any](t *testing.T, k *resources.Kind[T], v T, leftOut ...string) {
	t.Helper()
	made, err := k.Create(context.Background(), v)
	if err != nil {
		t.Fatalf("create %T: %v", v, err)
	}
	got, err := k.Get(context.Background(), resources.ObjectOf(made).ID)
	if err != nil {
		t.Fatalf("get %T: %v", v, err)
	}
	if !reflect.DeepEqual(got, made) {
		t.Errorf("created %+v, got back %+v", made, got)
	}
	gave, has := reflect.ValueOf(v), reflect.ValueOf(*got)
	for i := range gave.NumField() {
		f := gave.Type().Field(i)
		if f.Anonymous {
			continue
		}
		if gave.Field(i).IsZero() && !slices.Contains(leftOut, f.Name) {
			t.Errorf("%T: the test leaves %s out", v, f.Name)
		}
		if !gave.Field(i).Equal(has.Field(i)) {
			t.Errorf("%T.%s: gave %v, got %v", v, f.Name, gave.Field(i), has.Field(i))
		}
	}
}

func fire[T any](t *testing.T, k *resources.Kind[T], id string, on ...fsm.Trigger) {
	t.Helper()
	for _, trigger := range on {
		if _, err := k.Fire(context.Background(), id, trigger); err != nil {
			t.Fatal(err)
		}
	}
}

func refused[T any](t *testing.T, k *resources.Kind[T], id string, on fsm.Trigger, guard string) {
	t.Helper()
	var e *fsm.TransitionError
	if _, err := k.Fire(context.Background(), id, on); !errors.As(err, &e) || !slices.Equal(e.Guards, []string{guard}) {
		t.Errorf("%s: got %v, want a refusal by %s", on, err, guard)
	}
}

// TestCreationFailsOnlyOfVMsThatNeverRan goes through the guard never_ran.
func TestCreationFailsOnlyOfVMsThatNeverRan(t *testing.T) {
	eachStore(t, func(t *testing.T, e *resources.Engine) {
		vms := register[vm.VM](t, e, vm.Machine)
		for _, id := range []string{"new", "ran", "was_paused", "never_came_up"} {
			if _, err := vms.Create(context.Background(), vm.VM{Object: resources.Object{ID: id}}); err != nil {
				t.Fatal(err)
			}
		}
		fire(t, vms, "new", vm.CreationFailed, vm.ReportStopped, vm.DestroyRequested)
		fire(t, vms, "ran", vm.StartRequested, vm.OperationSucceeded, vm.ReportStopped)
		refused(t, vms, "ran", vm.CreationFailed, "never_ran")
		fire(t, vms, "was_paused", vm.ReportPaused, vm.ReportStopped)
		refused(t, vms, "was_paused", vm.CreationFailed, "never_ran")
		fire(t, vms, "never_came_up", vm.StartRequested, vm.OperationFailed, vm.CreationFailed)
	})
}

// TestVolumesRecoverToWhatTheyWere goes through the guards created and uploaded.
func TestVolumesRecoverToWhatTheyWere(t *testing.T) {
	tests := []struct {
		id   string
		on   []fsm.Trigger
		want fsm.State
	}{
		{"untouched", nil, volume.Allocated},
		{"not_created", []fsm.Trigger{volume.CreateRequested, volume.OperationFailed}, volume.Allocated},
		{"created", []fsm.Trigger{volume.CreateRequested, volume.OperationSucceeded}, volume.Ready},
		{"not_uploaded", []fsm.Trigger{volume.UploadRequested, volume.OperationTimedOut}, volume.Allocated},
		{"uploaded", []fsm.Trigger{volume.UploadRequested, volume.OperationSucceeded}, volume.Uploaded},
		{"not_copied", []fsm.Trigger{volume.UploadRequested, volume.OperationSucceeded, volume.CopyRequested, volume.OperationFailed}, volume.Uploaded},
		{"copied", []fsm.Trigger{volume.UploadRequested, volume.OperationSucceeded, volume.CopyRequested, volume.OperationSucceeded}, volume.Ready},
		{"restored", []fsm.Trigger{volume.DestroyRequested, volume.RestoreRequested, volume.OperationSucceeded}, volume.Ready},
	}
	eachStore(t, func(t *testing.T, e *resources.Engine) {
		volumes := register[volume.Volume](t, e, volume.Machine)
		for _, tt := range tests {
			if _, err := volumes.Create(context.Background(), volume.Volume{Object: resources.Object{ID: tt.id}}); err != nil {
				t.Fatal(err)
			}
			fire(t, volumes, tt.id, append(tt.on, volume.DestroyRequested, volume.RecoveryRequested)...)
			if v, err := volumes.Get(context.Background(), tt.id); err != nil || v.State != tt.want {
				t.Errorf("%s: recovered to %s (%v), want %s", tt.id, v.State, err, tt.want)
			}
		}
	})
}

// TestAttachedVolumesStay goes through the guards attached and detached.
func TestAttachedVolumesStay(t *testing.T) {
	eachStore(t, func(t *testing.T, e *resources.Engine) {
		volumes := register[volume.Volume](t, e, volume.Machine)
		if _, err := volumes.Create(context.Background(), volume.Volume{Object: resources.Object{ID: "disk"}}); err != nil {
			t.Fatal(err)
		}
		attach := volumes.Set(func(v *volume.Volume) error { v.VMID, v.DeviceID = "web", 1; return nil })
		attachedTo := func(want string) {
			t.Helper()
			if v, err := volumes.Get(context.Background(), "disk"); err != nil || v.VMID != want {
				t.Errorf("attached to %q (%v), want %q", v.VMID, err, want)
			}
		}
		fire(t, volumes, "disk", volume.CreateRequested, volume.OperationSucceeded)
		refused(t, volumes, "disk", volume.DetachRequested, "attached")
		if _, err := volumes.Fire(context.Background(), "disk", volume.AttachRequested, attach); err != nil {
			t.Fatal(err)
		}
		attachedTo("web")
		fire(t, volumes, "disk", volume.OperationFailed)
		attachedTo("")
		fire(t, volumes, "disk", volume.AttachRequested)
		if _, err := volumes.Fire(context.Background(), "disk", volume.OperationSucceeded, attach); err != nil {
			t.Fatal(err)
		}
		attachedTo("web")
		refused(t, volumes, "disk", volume.AttachRequested, "detached")
		refused(t, volumes, "disk", volume.DestroyRequested, "detached")
		fire(t, volumes, "disk", volume.DetachRequested, volume.OperationFailed)
		attachedTo("web")
		fire(t, volumes, "disk", volume.DetachRequested, volume.OperationSucceeded)
		attachedTo("")
		fire(t, volumes, "disk", volume.DestroyRequested)
	})
}

// TestFreeAddressesAreNobodys: what an address was used for ends with its use.
func TestFreeAddressesAreNobodys(t *testing.T) {
	allocate, succeed, fail := publicip.AllocateRequested, publicip.OperationSucceeded, publicip.OperationFailed
	tests := []struct {
		id   string
		on   []fsm.Trigger // after the request that says who uses it
		want fsm.State
		used bool
	}{
		{"allocated", []fsm.Trigger{succeed}, publicip.Allocated, true},
		{"released", []fsm.Trigger{succeed, publicip.ReleaseRequested, succeed}, publicip.Free, false},
		{"not_released", []fsm.Trigger{succeed, publicip.ReleaseRequested, fail}, publicip.Allocated, true},
		{"not_allocated", []fsm.Trigger{fail}, publicip.Free, false},
	}
	eachStore(t, func(t *testing.T, e *resources.Engine) {
		ips := register[publicip.PublicIP](t, e, publicip.Machine)
		use := ips.Set(func(p *publicip.PublicIP) error {
			p.NetworkID, p.VMID, p.NICID, p.StaticNAT = "lan", "web", "eth0", true
			return nil
		})
		for _, reserved := range []bool{false, true} {
			for _, tt := range tests {
				p := publicip.PublicIP{Address: "203.0.113.5", Gateway: "203.0.113.1", VLAN: 100, ZoneID: "z"}
				p.ID, p.Tenant = tt.id, "acme"
				if reserved {
					p.ID += "_from_reserved"
				}
				if _, err := ips.Create(context.Background(), p); err != nil {
					t.Fatal(err)
				}
				want := tt.want
				if reserved {
					fire(t, ips, p.ID, publicip.ReserveRequested)
					if tt.id == "not_allocated" {
						want = publicip.Reserved
					}
				}
				if _, err := ips.Fire(context.Background(), p.ID, allocate, use); err != nil {
					t.Fatal(err)
				}
				fire(t, ips, p.ID, tt.on...)
				got, err := ips.Get(context.Background(), p.ID)
				if err != nil {
					t.Fatal(err)
				}
				p.Object = got.Object
				if tt.used {
					p.NetworkID, p.VMID, p.NICID, p.StaticNAT = "lan", "web", "eth0", true
				}
				if got.State != want || got.Tenant != "acme" || *got != p {
					t.Errorf("%s: got %+v, want %s: %+v", p.ID, got, want, p)
				}
			}
		}
	})
}

// TestEnabledHostsHaveNoReason: why, who and until when end with what they explain.
func TestEnabledHostsHaveNoReason(t *testing.T) {
	until := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	eachStore(t, func(t *testing.T, e *resources.Engine) {
		admins := register[hostadmin.HostAdmin](t, e, hostadmin.Machine)
		if _, err := admins.Create(context.Background(), hostadmin.HostAdmin{Object: resources.Object{ID: "host-1"}}); err != nil {
			t.Fatal(err)
		}
		why := admins.Set(func(h *hostadmin.HostAdmin) error {
			h.Reason, h.RequestedBy, h.Until = "new disks", "user:42", until
			return nil
		})
		for _, back := range [][]fsm.Trigger{
			{hostadmin.CancelRequested},
			{hostadmin.OperationSucceeded, hostadmin.CancelRequested},
			{hostadmin.OperationFailed, hostadmin.CancelRequested},
			{hostadmin.OperationFailed, hostadmin.DisableRequested, hostadmin.EnableRequested},
		} {
			if _, err := admins.Fire(context.Background(), "host-1", hostadmin.MaintenanceRequested, why); err != nil {
				t.Fatal(err)
			}
			for _, on := range back {
				if h, err := admins.Get(context.Background(), "host-1"); err != nil || h.Reason != "new disks" || h.RequestedBy != "user:42" || !h.Until.Equal(until) {
					t.Errorf("before %s: %+v, %v", on, h, err)
				}
				fire(t, admins, "host-1", on)
			}
			if h, err := admins.Get(context.Background(), "host-1"); err != nil || h.State != hostadmin.Enabled || h.Reason != "" || h.RequestedBy != "" || !h.Until.IsZero() {
				t.Errorf("enabled by %v: %+v, %v", back, h, err)
			}
		}
	})
}

// TestInvalidFieldsAreNamed: what a kind's own check finds reaches the caller, with the field.
func TestInvalidFieldsAreNamed(t *testing.T) {
	eachStore(t, func(t *testing.T, e *resources.Engine) {
		networks := register[network.Network](t, e, network.Machine)
		var invalid *resources.InvalidError
		_, err := networks.Create(context.Background(), network.Network{Object: resources.Object{ID: "lan"}, Type: network.Shared})
		if !errors.As(err, &invalid) || invalid.Field != "state" || invalid.ID != "lan" {
			t.Errorf("got %v, want an *InvalidError for state", err)
		}
		if want := `resources: network/lan: state: is "allocated": a shared network begins in "setup"`; err != nil && err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}
