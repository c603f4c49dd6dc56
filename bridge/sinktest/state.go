package sinktest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cloudbus-go/cloudbus/bridge"
)

// state is an event about a resource: what happened to it, its place in the journal and its version.
type state struct {
	id      string
	what    string // "created", "state.running", "snapshot", "removed"
	seq     uint64
	version uint64
}

func (s state) message(mode bridge.Mode) (bridge.Message, error) {
	e := event(s.id, int(s.seq))
	e.Type, e.Seq, e.Version = "vm."+s.what, s.seq, s.version
	if s.what == "snapshot" {
		e.CausationID, e.CorrelationID, e.Actor, e.TraceParent = "", "", "", ""
	}
	return bridge.NewMessage(e, bridge.Options{State: true, Mode: mode})
}

// sendStates sends some in order.
func (r *rig) sendStates(ctx context.Context, s bridge.Sink, all ...state) error {
	for i, one := range all {
		m, err := one.message(bridge.Mode(i % 2))
		if err == nil {
			err = r.deliver(ctx, s, m)
		}
		if err != nil {
			return fmt.Errorf("%+v: %w", one, err)
		}
	}
	return nil
}

// states decodes what the broker keeps, by resource.
func (r *rig) states(ctx context.Context) (map[string]state, error) {
	messages, err := r.Received(ctx)
	if err != nil {
		return nil, fmt.Errorf("received: %w", err)
	}
	found := map[string]state{}
	for _, m := range messages {
		e, err := bridge.DecodeMessage(m.ContentType, m.Attributes, m.Data)
		if err != nil {
			return nil, fmt.Errorf("message on %s isn't what was sent: %w", m.Subject, err)
		}
		if subject, err := bridge.StateSubject(e.Tenant, e.Kind, e.ResourceID); err != nil || subject != m.Subject {
			return nil, fmt.Errorf("the state of %s lies on %s, want %s", e.Subject(), m.Subject, subject)
		}
		if _, twice := found[e.ResourceID]; twice {
			return nil, fmt.Errorf("the broker keeps two states of %s", e.Subject())
		}
		found[e.ResourceID] = state{e.ResourceID, e.Type[len("vm."):], e.Seq, e.Version}
	}
	return found, nil
}

// wantStates compares.
func (r *rig) wantStates(ctx context.Context, want ...state) error {
	found, err := r.states(ctx)
	if err != nil {
		return err
	}
	for _, w := range want {
		if found[w.id] != w {
			return fmt.Errorf("the broker keeps %+v, want %+v", found[w.id], w)
		}
	}
	if len(found) != len(want) {
		return fmt.Errorf("the broker keeps the states of %d resources, want %d", len(found), len(want))
	}
	return nil
}

// afterEach sends and looks, step by step: rows are what is sent, and what lies there afterwards.
func (r *rig) afterEach(ctx context.Context, steps ...[2]state) error {
	s, err := r.ready(ctx)
	if err != nil {
		return err
	}
	for i, step := range steps {
		if err := r.sendStates(ctx, s, step[0]); err != nil {
			return err
		}
		if err := r.wantStates(ctx, step[1]); err != nil {
			return fmt.Errorf("after step %d, which sent %+v: %w", i+1, step[0], err)
		}
	}
	return nil
}

func checkNewest(ctx context.Context, r *rig) error {
	s, err := r.ready(ctx)
	if err != nil {
		return err
	}
	if err := r.sendStates(ctx, s,
		state{"a", "created", 1, 1}, state{"b", "created", 2, 1}, state{"a", "state.starting", 3, 2}, state{"a", "state.running", 4, 3}, state{"b.x", "created", 5, 1}); err != nil {
		return err
	}
	return r.wantStates(ctx, state{"a", "state.running", 4, 3}, state{"b", "created", 2, 1}, state{"b.x", "created", 5, 1})
}

func checkOlder(ctx context.Context, r *rig) error {
	created, starting, running := state{"a", "created", 1, 1}, state{"a", "state.starting", 3, 2}, state{"a", "state.running", 4, 3}
	return r.afterEach(ctx, [2]state{starting, starting}, [2]state{running, running}, [2]state{starting, running}, [2]state{running, running}, [2]state{created, running})
}

func checkGone(ctx context.Context, r *rig) error {
	last, gone, anew := state{"a", "state.expunged", 5, 7}, state{"a", "removed", 6, 8}, state{"a", "created", 9, 1}
	return r.afterEach(ctx,
		[2]state{last, last}, [2]state{gone, gone}, [2]state{last, gone}, [2]state{{"a", "snapshot", 5, 7}, gone},
		[2]state{anew, anew}, [2]state{gone, anew}, [2]state{last, anew})
}

func checkSnapshots(ctx context.Context, r *rig) error {
	early, moved := state{"a", "snapshot", 10, 4}, state{"a", "state.running", 12, 6}
	return r.afterEach(ctx,
		[2]state{early, early},
		[2]state{{"a", "updated", 9, 3}, early},         // before it
		[2]state{{"a", "state.starting", 11, 4}, early}, // in it already, though after its place
		[2]state{moved, moved},
		[2]state{{"a", "snapshot", 11, 5}, moved}, // it lies before the event
		[2]state{{"a", "snapshot", 14, 6}, moved}, // it says the same
		[2]state{{"a", "snapshot", 14, 7}, {"a", "snapshot", 14, 7}})
}

// checkTwoSinks: one server takes over from another, and both send for a while.
func checkTwoSinks(ctx context.Context, r *rig) error {
	const resources, each = 16, 20
	first, err := r.ready(ctx)
	if err != nil {
		return err
	}
	second, err := r.ready(ctx)
	if err != nil {
		return err
	}
	errs := make([]error, 2*resources)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() {
			sink := []bridge.Sink{first, second}[i%2]
			for n := range each {
				at := uint64(n + 1)
				if errs[i] = r.sendStates(ctx, sink, state{name(i / 2), "updated", at, at}); errs[i] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	var want []state
	for i := range resources {
		want = append(want, state{name(i), "updated", each, each})
	}
	return r.wantStates(ctx, want...)
}

// checkLost: the sink says that what it kept is gone, and takes it again though it has had it.
func checkLost(ctx context.Context, r *rig) error {
	if r.Lose == nil {
		return errSkip
	}
	s, err := r.ready(ctx)
	if err != nil {
		return err
	}
	keeper, ok := s.(bridge.StateKeeper)
	if !ok || !keeper.KeepsState() {
		return errors.New("the sink is no StateKeeper that keeps states")
	}
	drain(keeper.Renewed()) // a broker that is new may say so
	all := []state{{"a", "created", 1, 1}, {"a", "state.starting", 2, 2}, {"b", "created", 3, 1}}
	if err := r.sendStates(ctx, s, all...); err != nil {
		return err
	}
	if err := r.Lose(); err != nil {
		return fmt.Errorf("lose: %w", err)
	}
	// Whether the sink notices by itself or by the next message that it sends is its own business.
	for told := false; !told; {
		if err := r.sendStates(ctx, s, state{"c", "created", 4, 1}); err != nil {
			return err
		}
		select {
		case <-keeper.Renewed():
			told = true
		case <-ctx.Done():
			return errors.New("the sink never said that its states were lost")
		default:
			pause(ctx, moment/10)
		}
	}
	if err := r.sendStates(ctx, s, append(slices.Clone(all[1:]), state{"c", "created", 4, 1})...); err != nil {
		return err
	}
	return r.wantStates(ctx, all[1], all[2], state{"c", "created", 4, 1})
}

func drain(told <-chan struct{}) {
	select {
	case <-told:
	default:
	}
}

// checkClosedState is checkClosed with a state.
func checkClosedState(ctx context.Context, r *rig) error {
	s, err := r.ready(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(r.sendStates(ctx, s, state{"a", "created", 1, 1}), r.shut(ctx, s)); err != nil {
		return err
	}
	m, err := state{"a", "updated", 2, 2}.message(bridge.Structured)
	if err != nil {
		return err
	}
	if err := promptly("Send of a closed sink", func() error { return s.Send(ctx, m) }); err == nil {
		return errors.New("Send of a closed sink: got nil, want an error")
	}
	return nil
}
