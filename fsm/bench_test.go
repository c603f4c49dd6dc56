package fsm_test

import (
	"context"
	"testing"
	"time"

	looplab "github.com/looplab/fsm"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Each benchmark makes one transition per iteration of a server that starts and stops, in turn; Looplab's are the same
// machine's in that library.

func power(guards bool) fsm.Spec {
	s := fsm.Spec{
		Kind:    "server",
		Initial: fsm.States("stopped"),
		Limits:  map[fsm.State]time.Duration{"starting": time.Minute, "stopping": time.Minute},
		Endless: true,
		Edges: []fsm.Edge{
			{From: fsm.States("stopped"), On: "start_requested", To: "starting"},
			{From: fsm.States("starting"), On: fsm.OperationSucceeded, To: "running"},
			{From: fsm.States("starting", "stopping"), On: fsm.OperationFailed, To: fsm.Origin},
			{From: fsm.States("running"), On: "stop_requested", To: "stopping"},
			{From: fsm.States("stopping"), On: fsm.OperationSucceeded, To: "stopped"},
		},
	}
	for i := range s.Edges {
		if guards {
			s.Edges[i].If = fsm.If("allowed", func(v *server) bool { return v.allowed })
		}
	}
	return s
}

type server struct{ allowed bool }

var powerCycle = []fsm.Trigger{"start_requested", fsm.OperationSucceeded, "stop_requested", fsm.OperationSucceeded}

func BenchmarkNext(b *testing.B) { benchmarkNext(b, false) }

func BenchmarkNextGuarded(b *testing.B) { benchmarkNext(b, true) }

func benchmarkNext(b *testing.B, guards bool) {
	m := fsm.MustNew(power(guards))
	subject := &server{allowed: true}
	at := fsm.Step{To: "stopped"}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		var err error
		if at, err = m.Next(at.To, at.Origin, powerCycle[i&3], subject); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNextRefused(b *testing.B) {
	m := fsm.MustNew(power(false))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Next("stopped", "", "stop_requested", nil); err == nil {
			b.Fatal("not refused")
		}
	}
}

func BenchmarkLooplab(b *testing.B) {
	m := looplabServer(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := m.Event(context.Background(), string(powerCycle[i&3])); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLooplabRefused(b *testing.B) {
	m := looplabServer(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Event(context.Background(), "stop_requested"); err == nil {
			b.Fatal("not refused")
		}
	}
}

func looplabServer(b *testing.B) *looplab.FSM {
	m, err := fsm.MustNew(power(false)).Looplab("stopped", "")
	if err != nil {
		b.Fatal(err)
	}
	return m
}
