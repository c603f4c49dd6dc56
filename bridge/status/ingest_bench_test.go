package status_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// BenchmarkIngest takes reports about 1,000 VMs, each of which moves its VM: with all checks, observation, move and events, on a file.
func BenchmarkIngest(b *testing.B) {
	const vms = 1000
	s := newSite(b).start()
	h, err := s.engine.Kind("vm")
	s.must(err)
	made := make([]any, vms)
	for n := range made {
		made[n] = &vm.VM{Object: resources.Object{ID: fmt.Sprintf("vm-%05d", n), Tenant: "acme"}}
	}
	_, err = h.CreateBatch(b.Context(), made)
	s.must(err)
	letters := make([]bridge.Letter, b.N)
	words := []string{"RUNNING", "STOPPED"}
	for n := range letters {
		letters[n] = s.say(n, fmt.Sprintf("vm-%05d", n%vms), words[n/vms%2])
	}
	b.ResetTimer()
	for _, l := range letters {
		s.must(s.transport.Publish(b.Context(), l))
	}
	s.until("all is applied", func() bool { return s.ingest.Stats().Applied == uint64(b.N) })
	b.StopTimer()
	stats := s.ingest.Stats()
	b.ReportMetric(float64(stats.Busy)/float64(b.N)/1e3, "busy-µs/report")
}

// BenchmarkDecode is what a report costs before the database is asked.
func BenchmarkDecodeAndCheck(b *testing.B) {
	d, err := status.NewDecoder()
	if err != nil {
		b.Fatal(err)
	}
	l := told{id: "x", source: "dcm/providers/east", kind: "vm", resource: "vm-00001", status: "RUNNING", at: time.Now(), sequence: 7}.letter()
	for b.Loop() {
		if _, err := d.Decode(l); err != nil {
			b.Fatal(err)
		}
	}
}
