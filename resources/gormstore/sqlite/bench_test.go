package sqlite_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// fleet is an engine on a new database, with Post, a live subscriber, and VMs that run.
func fleet(b *testing.B, size int) (*resources.Kind[vm.VM], []string) {
	b.Helper()
	store := open(b, filepath.Join(b.TempDir(), "cloud.db"))
	quiet := slog.New(slog.DiscardHandler)
	news := bus.New(bus.Options{Logger: quiet, Journal: store.Journal()})
	b.Cleanup(func() {
		if err := news.Close(context.Background()); err != nil {
			b.Error(err)
		}
	})
	engine, err := resources.New(resources.Options{Store: store, Bus: news, Logger: quiet, Listeners: []resources.Listener{listeners.Post()}})
	if err != nil {
		b.Fatal(err)
	}
	vms, err := resources.Register[vm.VM](engine, vm.Machine)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := bus.Subscribe(news.Client("bench"), func(context.Context, bus.Event[vm.Changed]) error { return nil }); err != nil {
		b.Fatal(err)
	}
	ids := make([]string, size)
	for i := range ids {
		v, err := vms.Create(context.Background(), vm.VM{Object: resources.Object{ID: fmt.Sprintf("vm-%06d", i), Tenant: "acme", Name: "bench"}, CPUs: 2, MemoryMiB: 4096})
		if err != nil {
			b.Fatal(err)
		}
		ids[i] = v.ID
	}
	return vms, ids
}

// BenchmarkFire measures a durable move of a VM on SQLite with synchronous=FULL: the row, its journal row, and the event to a live subscriber.
func BenchmarkFire(b *testing.B) {
	const size = 1024
	vms, ids := fleet(b, size)
	states := make([]atomic.Int64, size)
	fire := func(i int64) error {
		on := []fsm.Trigger{vm.StartRequested, vm.OperationSucceeded, vm.StopRequested, vm.OperationSucceeded}
		vmIndex := i % size
		_, err := vms.Fire(context.Background(), ids[vmIndex], on[(states[vmIndex].Add(1)-1)%4])
		return err
	}
	var n atomic.Int64
	b.Run("alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := fire(n.Add(1)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("64 callers", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(32) // times GOMAXPROCS
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := fire(n.Add(1)); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
