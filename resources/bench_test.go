package resources_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func benchVMs(b *testing.B, n int) (*resources.Kind[vm.VM], []string) {
	r := newRig(b, resources.Options{})
	vms, err := resources.Register[vm.VM](r.engine, vm.Machine)
	if err != nil {
		b.Fatal(err)
	}
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprint("vm-", i)
		if _, err := vms.Create(ctx, vm.VM{Object: resources.Object{ID: ids[i]}, CPUs: 2, MemoryMiB: 4096}); err != nil {
			b.Fatal(err)
		}
	}
	return vms, ids
}

// BenchmarkFire moves VMs in memory, with Post: the engine's own cost.
func BenchmarkFire(b *testing.B) {
	b.Run("alone", func(b *testing.B) {
		vms, ids := benchVMs(b, 1000)
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			on := []trigger{vm.ReportRunning, vm.ReportStopped}[i/len(ids)%2]
			if _, err := vms.Fire(ctx, ids[i%len(ids)], on); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
	b.Run("64 callers", func(b *testing.B) {
		vms, ids := benchVMs(b, 64)
		b.ReportAllocs()
		b.SetParallelism(32)
		var callers atomic.Int64
		b.RunParallel(func(pb *testing.PB) {
			id := ids[int(callers.Add(1))%len(ids)]
			for i := 0; pb.Next(); i++ {
				on := []trigger{vm.ReportRunning, vm.ReportStopped}[i%2]
				if _, err := vms.Fire(ctx, id, on); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}
