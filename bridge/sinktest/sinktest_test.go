package sinktest

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/cloudbus-go/cloudbus/bridge"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	for name, repeats := range map[string]Repeats{"kept": Kept, "dropped": Dropped} {
		t.Run(name, func(t *testing.T) {
			Run(t, func(*testing.T) *Broker { return (&Memory{MaxBytes: 100_000, Repeats: repeats}).Broker() })
		})
	}
}

// faulty is a sink of a broker in memory with one fault.
type faulty struct {
	*memorySink
	send   func(context.Context, bridge.Message) error
	ready  func(context.Context) error
	health func(context.Context) error
	open   func() error
	close  func() error
}

func (f *faulty) Send(ctx context.Context, m bridge.Message) error {
	if f.send != nil {
		return f.send(ctx, m)
	}
	return f.memorySink.Send(ctx, m)
}

func (f *faulty) Ready(ctx context.Context) error {
	if f.ready != nil {
		return f.ready(ctx)
	}
	return f.memorySink.Ready(ctx)
}

func (f *faulty) Health(ctx context.Context) error {
	if f.health != nil {
		return f.health(ctx)
	}
	return f.memorySink.Health(ctx)
}

func (f *faulty) Open(ctx context.Context, log *slog.Logger) error {
	if f.open != nil {
		return f.open()
	}
	return f.memorySink.Open(ctx, log)
}

func (f *faulty) Close(ctx context.Context) error {
	if f.close != nil {
		return f.close()
	}
	return f.memorySink.Close(ctx)
}

// TestEachFaultIsFound gives each check a sink that breaks what it is for.
func TestEachFaultIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		check func(context.Context, *rig) error
		spoil func(*faulty)
	}{
		"attributes are lost": {checkBinary, func(f *faulty) {
			f.send = func(ctx context.Context, m bridge.Message) error {
				m.Attributes = m.Attributes[:4]
				return f.memorySink.Send(ctx, m)
			}
		}},
		"the mode is another": {checkStructured, func(f *faulty) {
			f.send = func(ctx context.Context, m bridge.Message) error {
				m.ContentType = "application/json"
				return f.memorySink.Send(ctx, m)
			}
		}},
		"a message is lost": {checkStructured, func(f *faulty) {
			f.send = func(ctx context.Context, m bridge.Message) error {
				if m.Header.Type == "bare" {
					return nil
				}
				return f.memorySink.Send(ctx, m)
			}
		}},
		"the subject is another": {checkStructured, func(f *faulty) {
			f.send = func(ctx context.Context, m bridge.Message) error { m.Subject += ".x"; return f.memorySink.Send(ctx, m) }
		}},
		"the id is another": {checkRepeats, func(f *faulty) {
			f.send = func(ctx context.Context, m bridge.Message) error { m.ID += "x"; return f.memorySink.Send(ctx, m) }
		}},
		"the data is altered": {checkUntouched, func(f *faulty) {
			f.send = func(ctx context.Context, m bridge.Message) error { m.Data[0] = ' '; return nil }
		}},
		"repeats aren't dropped": {checkRepeats, func(f *faulty) {
			f.send = func(ctx context.Context, m bridge.Message) error {
				return f.broker.take(Received{Subject: m.Subject, ContentType: m.ContentType, Attributes: m.Attributes, Data: m.Data}, m.Header)
			}
		}},
		"acknowledged before it is kept": {checkOrder, func(f *faulty) { disorder(f) }},
		"acknowledged while away": {checkOutage, func(f *faulty) {
			f.send = func(ctx context.Context, m bridge.Message) error {
				if err := f.memorySink.Send(ctx, m); !errors.Is(err, ErrAway) {
					return err
				}
				return nil
			}
		}},
		"too large is an error that may pass": {checkTooLarge, func(f *faulty) {
			f.send = func(ctx context.Context, m bridge.Message) error {
				err := f.memorySink.Send(ctx, m)
				var rejected *bridge.RejectedError
				if errors.As(err, &rejected) {
					return &bridge.RejectedError{Err: rejected.Err}
				}
				return err
			}
		}},
		"away is rejected": {checkAway, func(f *faulty) {
			f.send = func(ctx context.Context, m bridge.Message) error {
				if err := f.memorySink.Send(ctx, m); err != nil {
					return &bridge.RejectedError{ID: m.ID, Err: err}
				}
				return nil
			}
		}},
		"away is a wait": {checkAway, func(f *faulty) {
			f.send = func(ctx context.Context, m bridge.Message) error {
				if err := f.memorySink.Send(ctx, m); !errors.Is(err, ErrAway) {
					return err
				}
				return f.memorySink.Ready(ctx)
			}
		}},
		"ready while away":   {checkAway, func(f *faulty) { f.ready = func(context.Context) error { return nil } }},
		"healthy while away": {checkAway, func(f *faulty) { f.health = func(context.Context) error { return nil } }},
		"unhealthy though it is there": {checkAway, func(f *faulty) {
			f.health = func(context.Context) error { return ErrAway }
		}},
		"open waits": {checkStartWhileAway, func(f *faulty) {
			f.open = func() error { f.set(true); return f.memorySink.Ready(context.Background()) }
		}},
		"open fails":           {checkStartWhileAway, func(f *faulty) { f.open = func() error { return ErrAway } }},
		"close fails":          {checkSecondSink, func(f *faulty) { f.close = func() error { return ErrAway } }},
		"an ended context":     {checkContext, func(f *faulty) { f.send = func(context.Context, bridge.Message) error { return nil } }},
		"hanging acknowledges": {checkHang, func(f *faulty) { f.send = func(context.Context, bridge.Message) error { return nil } }},
		"close doesn't close":  {checkClosed, func(f *faulty) { f.close = func() error { return nil } }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory := &Memory{MaxBytes: 100_000, Repeats: Dropped}
				broker := memory.Broker()
				broker.New = func() (bridge.Sink, error) {
					f := &faulty{memorySink: &memorySink{broker: memory}}
					c.spoil(f)
					return f, nil
				}
				r := &rig{Broker: broker}
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				// A broker that stays away would keep a faulty sink for ever.
				defer context.AfterFunc(ctx, memory.Start)()
				err := c.check(ctx, r)
				if err == nil {
					t.Error("the check found no fault")
				}
				memory.Start()
				_ = r.close()
			})
		})
	}
}

// disorder has a sink acknowledge a message of a resource, and send it after the next one.
func disorder(f *faulty) {
	var mu sync.Mutex
	var kept *bridge.Message
	var once atomic.Bool
	f.send = func(ctx context.Context, m bridge.Message) error {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case m.Header.ResourceID != name(0):
		case once.CompareAndSwap(false, true):
			kept = &m
			return nil
		case kept != nil:
			late := *kept
			kept = nil
			return errors.Join(f.memorySink.Send(ctx, m), f.memorySink.Send(ctx, late))
		}
		return f.memorySink.Send(ctx, m)
	}
}

func TestWithoutStopStartHangOrLimitTheirChecksAreSkipped(t *testing.T) {
	for _, check := range []func(context.Context, *rig) error{checkAway, checkOutage, checkStartWhileAway, checkHang, checkTooLarge} {
		broker := (&Memory{}).Broker()
		broker.Stop, broker.Start, broker.Hang = nil, nil, nil
		if err := check(t.Context(), &rig{Broker: broker}); !errors.Is(err, errSkip) {
			t.Errorf("got %v, want a skip", err)
		}
	}
}

func TestMemoryKeepsStates(t *testing.T) {
	RunState(t, func(*testing.T) *Broker { return (&Memory{State: true}).Broker() })
}

// Each of these sinks breaks one promise about states.
func TestEachFaultOfStatesIsFound(t *testing.T) {
	unguarded := func(f *faulty) {
		f.send = func(ctx context.Context, m bridge.Message) error {
			f.broker.mu.Lock()
			delete(f.broker.states, m.Subject)
			f.broker.received = slices.DeleteFunc(f.broker.received, func(r Received) bool { return r.Subject == m.Subject })
			f.broker.mu.Unlock()
			return f.memorySink.Send(ctx, m)
		}
	}
	appending := func(f *faulty) {
		f.send = func(ctx context.Context, m bridge.Message) error {
			f.broker.mu.Lock()
			delete(f.broker.states, m.Subject)
			f.broker.mu.Unlock()
			m.Subject += "x"
			return f.memorySink.Send(ctx, m)
		}
	}
	for name, c := range map[string]struct {
		check func(context.Context, *rig) error
		spoil func(*faulty)
	}{
		"the last one sent stays":   {checkOlder, unguarded},
		"what is gone comes back":   {checkGone, unguarded},
		"snapshots aren't guarded":  {checkSnapshots, unguarded},
		"the subject is another":    {checkNewest, appending},
		"sinks don't see another's": {checkTwoSinks, func(f *faulty) { f.send = func(context.Context, bridge.Message) error { return nil } }},
		"a closed one sends":        {checkClosedState, func(f *faulty) { f.close = func() error { return nil } }},
	} {
		t.Run(name, func(t *testing.T) {
			memory := &Memory{State: true}
			broker := memory.Broker()
			broker.New = func() (bridge.Sink, error) {
				f := &faulty{memorySink: &memorySink{broker: memory}}
				c.spoil(f)
				return f, nil
			}
			if err := c.check(t.Context(), &rig{Broker: broker}); err == nil {
				t.Error("the check found no fault")
			}
		})
	}
}
