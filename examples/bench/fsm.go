package main

import (
	"context"
	"runtime"
	"time"

	looplab "github.com/looplab/fsm"
	"github.com/qmuntal/stateless"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// server is what guards look at.
type server struct{ allowed bool }

// edges are the machine of all contenders: a server that starts and stops.
var edges = []struct{ from, on, to string }{
	{"stopped", "start_requested", "starting"},
	{"starting", "operation_succeeded", "running"},
	{"starting", "operation_failed", "stopped"},
	{"running", "stop_requested", "stopping"},
	{"stopping", "operation_succeeded", "stopped"},
	{"stopping", "operation_failed", "running"},
}

// cycle leads from stopped back to it.
var cycle = []string{"start_requested", "operation_succeeded", "stop_requested", "operation_succeeded"}

// mover makes n transitions, round and round the cycle.
type mover func(n int) error

// fsm compares transitions, without and with guards.
func (b *bench) fsm() error {
	subject := &server{allowed: true}
	err := b.transitions("transition", []movement{
		{name: "ours", move: ourMachine(nil, subject), bars: []bar{limit(0)}},
		{name: "looplab", move: looplabMachine(nil), bars: []bar{atLeast(12)}},
		{name: "stateless", move: statelessMachine(nil), bars: []bar{atLeast(8)}},
	})
	if err != nil {
		return err
	}
	return b.transitions("guarded transition", []movement{
		{name: "ours", move: ourMachine(subject, subject), bars: []bar{limit(0)}},
		{name: "looplab, no guard", move: looplabMachine(nil), bars: []bar{atLeast(6)}},
		{name: "looplab", move: looplabMachine(subject)},
		{name: "stateless", move: statelessMachine(subject)},
	})
}

// movement is a machine in a contest. Ours' bar is about allocations, the others' are about time.
type movement struct {
	name string
	move mover
	bars []bar
}

func (b *bench) transitions(name string, all []movement) error {
	times := contest{name: name, unit: "ns"}
	allocations := contest{name: name + ", allocations", unit: "objects"}
	for k, m := range all {
		time := contender{name: m.name, bars: m.bars, run: func() ([]float64, error) { return perMove(m.move, b.slice) }}
		count := contender{name: m.name, run: func() ([]float64, error) { return allocationsPerMove(m.move) }}
		if k == 0 {
			time.bars, count.bars = nil, m.bars
		}
		times.contenders = append(times.contenders, time)
		allocations.contenders = append(allocations.contenders, count)
	}
	if err := b.hold(times); err != nil {
		return err
	}
	return b.hold(allocations)
}

const movesAtOnce = 4096

// perMove returns the nanoseconds of one move.
func perMove(move mover, d time.Duration) ([]float64, error) {
	begun := time.Now()
	for n := 1; ; n++ {
		if err := move(movesAtOnce); err != nil {
			return nil, err
		}
		if took := time.Since(begun); took >= d {
			return []float64{float64(took) / float64(n*movesAtOnce)}, nil
		}
	}
}

func allocationsPerMove(move mover) ([]float64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := move(movesAtOnce)
	runtime.ReadMemStats(&after)
	// The runtime's own few don't count.
	return []float64{float64((after.Mallocs - before.Mallocs) / movesAtOnce)}, err
}

// ourMachine keeps state and origin as a resource does. Its failures lead to fsm.Origin, where those of the others name a state.
func ourMachine(guarded, subject *server) mover {
	s := fsm.Spec{
		Kind: "server", Initial: fsm.States("stopped"), Endless: true,
		Limits: map[fsm.State]time.Duration{"starting": time.Minute, "stopping": time.Minute},
	}
	for _, e := range edges {
		edge := fsm.Edge{From: fsm.States(fsm.State(e.from)), On: fsm.Trigger(e.on), To: fsm.State(e.to)}
		if edge.On == fsm.OperationFailed {
			edge.To = fsm.Origin
		}
		if guarded != nil {
			edge.If = fsm.If("allowed", func(v *server) bool { return v.allowed })
		}
		s.Edges = append(s.Edges, edge)
	}
	m := fsm.MustNew(s)
	triggers := make([]fsm.Trigger, len(cycle))
	for i, t := range cycle {
		triggers[i] = fsm.Trigger(t)
	}
	return func(n int) (err error) {
		at := fsm.Step{To: "stopped"}
		for i := 0; i < n && err == nil; i++ {
			at, err = m.Next(at.To, at.Origin, triggers[i&3], subject)
		}
		return err
	}
}

// looplabMachine guards as looplab's users do: a callback cancels what isn't allowed.
func looplabMachine(guarded *server) mover {
	var events looplab.Events
	for _, e := range edges {
		events = append(events, looplab.EventDesc{Name: e.on, Src: []string{e.from}, Dst: e.to})
	}
	callbacks := looplab.Callbacks{}
	if guarded != nil {
		callbacks["before_event"] = func(_ context.Context, e *looplab.Event) {
			if !guarded.allowed {
				e.Cancel()
			}
		}
	}
	m := looplab.NewFSM("stopped", events, callbacks)
	ctx := context.Background()
	return func(n int) (err error) {
		for i := 0; i < n && err == nil; i++ {
			err = m.Event(ctx, cycle[i&3])
		}
		return err
	}
}

// statelessMachine is that library's fastest: immediate, with the state outside, and names that are boxed only once.
func statelessMachine(guarded *server) mover {
	boxes := map[string]any{}
	box := func(name string) any {
		if boxes[name] == nil {
			boxes[name] = name
		}
		return boxes[name]
	}
	state := box("stopped")
	m := stateless.NewStateMachineWithExternalStorage(
		func(context.Context) (stateless.State, error) { return state, nil },
		func(_ context.Context, s stateless.State) error { state = s; return nil },
		stateless.FiringImmediate)
	for _, e := range edges {
		if guarded != nil {
			m.Configure(box(e.from)).Permit(box(e.on), box(e.to), func(context.Context, ...any) bool { return guarded.allowed })
		} else {
			m.Configure(box(e.from)).Permit(box(e.on), box(e.to))
		}
	}
	triggers := make([]any, len(cycle))
	for i, t := range cycle {
		triggers[i] = box(t)
	}
	ctx := context.Background()
	return func(n int) (err error) {
		for i := 0; i < n && err == nil; i++ {
			err = m.FireCtx(ctx, triggers[i&3])
		}
		return err
	}
}
