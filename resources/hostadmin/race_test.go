package hostadmin_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/host"
	"github.com/cloudbus-go/cloudbus/resources/hostadmin"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// serve is another server on a database.
func serve(t *testing.T, dsn string) *farm {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	store, err := postgres.Open(dsn, postgres.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	b := bus.New(bus.Options{Journal: store.Journal(), Logger: quiet})
	t.Cleanup(func() {
		if err := errors.Join(b.Close(context.Background()), store.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	e, err := resources.New(resources.Options{Store: store, Bus: b, Logger: quiet, Listeners: []resources.Listener{listeners.Post(), hostadmin.Guard()}})
	if err != nil {
		t.Fatal(err)
	}
	f := &farm{t: t}
	f.hosts, err = resources.Register[host.Host](e, host.Machine)
	f.check(err)
	f.admins, err = resources.Register[hostadmin.HostAdmin](e, hostadmin.Machine)
	f.check(err)
	f.vms, err = resources.Register[vm.VM](e, vm.Machine)
	f.check(err)
	return f
}

// TestServersRace: what one server lets onto a host and how another empties it exclude one another in the database.
func TestServersRace(t *testing.T) {
	dsn := postgrestest.Schema(t)
	one, two := serve(t, dsn), serve(t, dsn)
	for name, leave := range map[string]func(id string) error{
		"maintenance": func(id string) error {
			return two.admin(id, hostadmin.MaintenanceRequested, hostadmin.OperationSucceeded)
		},
		"removed": func(id string) error { return two.host(id, host.RemoveRequested) },
	} {
		t.Run(name, func(t *testing.T) {
			var started, left int
			for n := range 40 {
				id := fmt.Sprint(name, n)
				one.add(id)
				one.add(id + "-old")
				one.check(one.create(id+"-a", id))
				one.check(one.create(id+"-b", ""))
				one.running(id+"-c", id+"-old")
				var wg sync.WaitGroup
				var come [3]error
				var gone error
				for i, on := range []func() error{
					func() error { return one.vm(id+"-a", vm.StartRequested) },
					func() error { return one.vm(id+"-b", vm.StartRequested, id) },
					func() error { return one.vm(id+"-c", vm.MigrationRequested, id) },
				} {
					wg.Go(func() { come[i] = on() })
				}
				wg.Go(func() { gone = leave(id) })
				wg.Wait()
				for _, err := range come {
					var veto *resources.VetoError
					var missing *resources.RelationError
					switch {
					case err == nil && gone == nil:
						t.Fatalf("%s: a VM came to a host that is %s: %v", id, name, come)
					case err == nil:
						started++
					case !errors.As(err, &veto) && !errors.As(err, &missing):
						t.Fatalf("%s: %v, want a veto", id, err)
					}
				}
				var occupied *hostadmin.OccupiedError
				switch {
				case gone == nil:
					left++
				case !errors.As(gone, &occupied):
					t.Fatalf("%s: %v, want an OccupiedError", id, gone)
				}
			}
			t.Logf("%d VMs came, %d hosts left", started, left)
		})
	}
}

// add makes a host that is up and enabled.
func (f *farm) add(id string) {
	f.t.Helper()
	_, err := f.hosts.Create(f.t.Context(), host.Host{Object: resources.Object{ID: id}})
	f.check(err)
	f.check(f.host(id, host.AgentReady))
	_, err = f.admins.Create(f.t.Context(), hostadmin.HostAdmin{Object: resources.Object{ID: id}})
	f.check(err)
}
