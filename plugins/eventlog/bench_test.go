package eventlog_test

import (
	"math/rand/v2"
	"testing"

	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
)

// BenchmarkRecord is what an event costs the log that catches up.
func BenchmarkRecord(b *testing.B) {
	h := open(b, `{}`)
	h.stop()
	r := rand.New(rand.NewPCG(1, 1))
	for n := b.N; n > 0; n -= 1000 {
		h.append(someEvents(r, min(n, 1000))...)
	}
	b.ResetTimer()
	h.start(`{}`)
	h.settle()
}

// BenchmarkPage is what a page of the newest events of a tenant costs.
func BenchmarkPage(b *testing.B) {
	h := open(b, `{}`)
	h.record(someEvents(rand.New(rand.NewPCG(1, 1)), 5000)...)
	for b.Loop() {
		h.list(eventlog.Query{Tenant: "acme", ResourceID: "web-1"})
	}
}
