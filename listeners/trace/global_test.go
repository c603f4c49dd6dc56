package trace_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/cloudbus-go/cloudbus/listeners/trace"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func globalProvider() oteltrace.TracerProvider { return otel.GetTracerProvider() }

// What it costs where no provider is configured.
func BenchmarkWithoutAProvider(b *testing.B) {
	ctx := context.Background()
	l := trace.New(trace.Options{}).(interface {
		resources.BeginListener
		resources.AfterListener
	})
	c := resources.Change{Kind: "vm", ResourceID: "a", Action: resources.Moved, Trigger: vm.StartRequested, From: vm.Stopped, To: vm.Starting}
	b.ReportAllocs()
	for b.Loop() {
		l.After(l.Begin(ctx, c), c, nil)
	}
}
