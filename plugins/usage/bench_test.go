package usage_test

import (
	"fmt"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// BenchmarkBacklog reads changes that each open or close an interval from the journal into the ledger, b.N of them, of 1,000 VMs.
func BenchmarkBacklog(b *testing.B) {
	store, events := openStore(b)
	h := &house{t: b, store: store, bus: events, vms: newVMs(b, store, events), now: at(1e6)}
	fill(b, events.Journal().(*journal.Journal), b.N)
	b.ResetTimer()
	h.start()
	h.settle()
	b.StopTimer()
	totals, err := h.ledger.Totals(b.Context(), usage.Query{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(totals)), "meters")
}

// fill appends n changes of VMs between running and stopped.
func fill(b *testing.B, j *journal.Journal, n int) {
	b.Helper()
	for done := 0; done < n; {
		err := j.Do(b.Context(), func(tx *journal.Tx) error {
			for end := min(n, done+500); done < end; done++ {
				c := resources.Change{Action: resources.Moved, Kind: "vm", ResourceID: fmt.Sprint("vm-", done%1000), Tenant: "acme", To: vm.Running, Time: at(float64(done))}
				if done/1000%2 == 1 {
					c.To = vm.Stopped
				}
				if _, err := tx.Append(vm.Changed{Change: c, Resource: vm.VM{CPUs: 2, MemoryMiB: 4096}}, bus.WithTime(c.Time)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReport sums up a ledger of 100,000 intervals by tenant, kind, meter and size.
func BenchmarkReport(b *testing.B) {
	store, events := openStore(b)
	h := &house{t: b, store: store, bus: events, vms: newVMs(b, store, events), now: at(1e6)}
	fill(b, events.Journal().(*journal.Journal), 100_000)
	h.start()
	h.settle()
	b.ResetTimer()
	for b.Loop() {
		if _, err := h.ledger.Report(b.Context(), usage.Query{From: at(100), To: at(90_000)}); err != nil {
			b.Fatal(err)
		}
	}
}
