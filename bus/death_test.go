package bus_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// left stores what a process leaves that has died.
func (w *world) left(attempts ...bus.Attempt) {
	w.t.Helper()
	if err := w.j.StoreAttempts(context.Background(), "d", attempts...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) attempts() map[uint64]int {
	w.t.Helper()
	all, err := w.j.Attempts(context.Background(), "d")
	if err != nil {
		w.t.Fatal(err)
	}
	tries := make(map[uint64]int)
	for _, a := range all {
		tries[a.Seq] = a.Tries
	}
	return tries
}

func TestFailureCountsDeathsOfTheProcessAsTries(t *testing.T) {
	eachWay(t, func(w *world, p *picky, open func() *bus.Subscription) {
		w.recordOf("a", 1)
		w.recordOf("b", 2)
		w.recordOf("a", 3)
		w.recordOf("c", 4)
		if err := w.j.SetCursor(context.Background(), "d", 0); err != nil {
			w.t.Fatal(err)
		}
		w.left(bus.Attempt{Tries: 3}, bus.Attempt{Seq: 1, Tries: 2}, bus.Attempt{Seq: 2, Tries: 1}, bus.Attempt{Seq: 4, Tries: 1})
		p.refuse(4)
		open()
		w.flush()
		p.want(w.t, 2)
		all := w.wantParked(1, 3, 4)
		if len(all) == 3 && (all[0].Tries != 2 || !strings.Contains(all[0].Reason, "died 2 times")) {
			w.t.Errorf("parked %+v, want the reason to be two deaths", all[0])
		}
		if p.tries != 1 {
			w.t.Errorf("event 4 was tried %d times after one death, want 1 of 2", p.tries)
		}
		w.restart()
		if left := w.attempts(); len(left) != 0 {
			w.t.Errorf("after a clean end %v is left", left)
		}
	})
}

func TestEventsAreNotedOnlyAfterAnUncleanEnd(t *testing.T) {
	for name, unclean := range map[string]bool{"clean": false, "unclean": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				w.record(1, 2)
				if err := w.j.SetCursor(context.Background(), "d", 0); err != nil {
					t.Fatal(err)
				}
				if unclean {
					w.left(bus.Attempt{Tries: 4})
				}
				var during []map[uint64]int
				w.subscribe(func(_ context.Context, e bus.Event[noted]) error {
					during = append(during, w.attempts())
					return nil
				}, bus.Durable("d"))
				w.flush()
				w.record(3) // behind what was in hand
				w.flush()
				time.Sleep(time.Second)
				if n := len(during); n != 3 {
					t.Fatalf("%d events were handled, want 3", n)
				}
				for i, m := range during {
					if noted := m[uint64(i+1)] == 1; noted != (unclean && i < 2) {
						t.Errorf("while event %d is handled the journal has %v", i+1, m)
					}
				}
				if m := w.attempts(); len(m) != 1 || m[0] != 1 {
					t.Errorf("when all is done the journal has %v, want the mark of one life", m)
				}
			})
		})
	}
}

func TestHaltAtAnEventThatTheProcessDiedOf(t *testing.T) {
	inBubble(t, func(w *world) {
		w.record(1)
		if err := w.j.SetCursor(context.Background(), "d", 0); err != nil {
			t.Fatal(err)
		}
		w.left(bus.Attempt{Tries: 3}, bus.Attempt{Seq: 1, Tries: 2})
		s := &sink{}
		sub := w.subscribe(s.handle, bus.Durable("d"), bus.OnFailure(bus.Halt), bus.Retry(2, time.Millisecond))
		<-sub.Done()
		var died *bus.DiedError
		if err := sub.Err(); !errors.As(err, &died) || died.Deaths != 2 || died.Seq != 1 {
			t.Errorf("it ended with %v, want 2 deaths at event 1", err)
		}
		s.want(t)
	})
}
