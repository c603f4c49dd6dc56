package bus_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
)

// picky is a handler that refuses some numbers, in the ways that subscriptions can have one.
type picky struct {
	sink
	refuses map[int]bool
	tries   int
}

var errRefused = errors.New("refused")

func (p *picky) handle(ctx context.Context, e bus.Event[noted]) error {
	p.mu.Lock()
	refused := p.refuses[e.Payload.N]
	if refused {
		p.tries++
	}
	p.mu.Unlock()
	if refused {
		return errRefused
	}
	return p.sink.handle(ctx, e)
}

func (p *picky) refuse(numbers ...int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuses = make(map[int]bool)
	for _, n := range numbers {
		p.refuses[n] = true
	}
}

// ways are the durable subscriptions, all called d.
var ways = map[string]func(w *world, p *picky) *bus.Subscription{
	"durable": func(w *world, p *picky) *bus.Subscription {
		return w.subscribe(p.handle, bus.Durable("d"), bus.Retry(2, time.Millisecond))
	},
	"lanes": func(w *world, p *picky) *bus.Subscription {
		return w.subscribe(p.handle, bus.Durable("d"), bus.Retry(2, time.Millisecond), bus.Lanes(3))
	},
	"batch": func(w *world, p *picky) *bus.Subscription {
		s, err := bus.SubscribeBatch(w.c, "d", func(ctx context.Context, b bus.Batch[noted]) error {
			for _, e := range b.Events {
				if err := p.check(e); err != nil {
					return err
				}
			}
			if err := errors.Join(w.j.Park(ctx, "d", b.Park...), w.j.Unpark(ctx, "d", b.Replayed...), w.j.SetCursor(ctx, "d", b.To)); err != nil {
				return err
			}
			for _, e := range b.Events {
				p.add(e.Payload.N)
			}
			return nil
		}, bus.OnFailure(bus.Park), bus.Retry(2, time.Millisecond))
		if err != nil {
			w.t.Fatal(err)
		}
		return s
	},
}

func (p *picky) check(e bus.Event[noted]) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuses[e.Payload.N] {
		p.tries++
		return errRefused
	}
	return nil
}

// recordOf appends one event of a VM.
func (w *world) recordOf(vm string, numbers ...int) {
	w.t.Helper()
	for _, n := range numbers {
		if _, err := w.j.Append(context.Background(), noted{N: n, VM: vm}); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) wantParked(want ...uint64) []bus.Parked {
	w.t.Helper()
	all, err := w.b.Parked(context.Background(), bus.ParkedQuery{Subscription: "d", Limit: 10_000})
	if err != nil {
		w.t.Fatal(err)
	}
	var got []uint64
	for _, e := range all {
		got = append(got, e.Seq)
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("parked are %v, want %v", got, want)
	}
	return all
}

func (w *world) replay(kind, id string) bus.Replayed {
	w.t.Helper()
	got, err := w.b.Replay(context.Background(), "d", kind, id)
	if err != nil {
		w.t.Fatalf("Replay: %v", err)
	}
	return got
}

func eachWay(t *testing.T, run func(w *world, p *picky, open func() *bus.Subscription)) {
	for name, open := range ways {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				p := &picky{}
				run(w, p, func() *bus.Subscription { return open(w, p) })
			})
		})
	}
}

func TestFailureParksTheResourceAndGoesOnWithOthers(t *testing.T) {
	eachWay(t, func(w *world, p *picky, open func() *bus.Subscription) {
		p.refuse(2)
		sub := open()
		w.recordOf("a", 1, 2, 3)
		w.flush()
		w.recordOf("b", 4)
		w.recordOf("a", 5)
		w.flush()
		p.want(w.t, 1, 4)
		all := w.wantParked(2, 3, 5)
		if e := all[0]; e.Tries != 2 || e.Reason != errRefused.Error() || e.Subject() != "vm/a" || string(e.Data) == "" || e.At.IsZero() {
			w.t.Errorf("the culprit is parked as %+v", e)
		}
		if e := all[1]; e.Tries != 0 || e.Reason == "" {
			w.t.Errorf("what waits behind it is parked as %+v", e)
		}
		if i := sub.Inspect(); i.Parked != 1 || i.State != "running" || i.Position != 5 {
			w.t.Errorf("inspection: %d parked, %s, at %d", i.Parked, i.State, i.Position)
		}
		time.Sleep(time.Second)
		if at := w.cursor("d"); at != 5 {
			w.t.Errorf("cursor is at %d, want 5", at)
		}

		w.restart() // and it is still so
		sub = open()
		w.recordOf("a", 6)
		w.flush()
		if w.wantParked(2, 3, 5, 6); sub.Inspect().Parked != 1 {
			w.t.Errorf("%d resources are parked after a restart", sub.Inspect().Parked)
		}
		if got := w.replay("", ""); got.Done != 0 || got.Left != 4 || !errors.Is(got.Err, errRefused) {
			w.t.Errorf("replay of what still fails: %+v", got)
		}
		if e := w.wantParked(2, 3, 5, 6)[0]; e.Tries != 3 {
			w.t.Errorf("%d tries after a replay, want 3", e.Tries)
		}
		p.refuse()
		if got := w.replay("vm", "a"); got.Done != 4 || got.Left != 0 || got.Err != nil {
			w.t.Errorf("replay: %+v", got)
		}
		w.recordOf("a", 7)
		w.flush()
		w.wantParked()
		p.want(w.t, 1, 4, 2, 3, 5, 6, 7)
		if i := sub.Inspect(); i.Parked != 0 {
			w.t.Errorf("%d resources are still parked", i.Parked)
		}
	})
}

func TestFailureOfEventsAboutNoResourceParksThemAlone(t *testing.T) {
	eachWay(t, func(w *world, p *picky, open func() *bus.Subscription) {
		p.refuse(2, 4)
		sub := open()
		w.record(1, 2, 3, 4, 5)
		w.flush()
		p.want(w.t, 1, 3, 5)
		w.wantParked(2, 4)
		if i := sub.Inspect(); i.Parked != 2 {
			w.t.Errorf("%d are parked, want 2", i.Parked)
		}
		p.refuse(2)
		if got := w.replay("", ""); got.Done != 1 || got.Left != 1 || !errors.Is(got.Err, errRefused) {
			w.t.Errorf("replay: %+v", got)
		}
		w.wantParked(2)
		p.want(w.t, 1, 3, 5, 4)
	})
}

func TestFailureDiscardFreesTheResource(t *testing.T) {
	eachWay(t, func(w *world, p *picky, open func() *bus.Subscription) {
		p.refuse(1)
		sub := open()
		w.recordOf("a", 1, 2)
		w.flush()
		if n, err := w.b.Discard(context.Background(), "d", 1, 99); n != 1 || err != nil {
			w.t.Errorf("Discard: %d, %v", n, err)
		}
		w.recordOf("a", 3)
		w.flush()
		w.wantParked(2, 3) // 2 still waits, so 3 does
		if n, err := w.b.Discard(context.Background(), "d", 2, 3); n != 2 || err != nil {
			w.t.Errorf("Discard: %d, %v", n, err)
		}
		w.recordOf("a", 4)
		w.flush()
		p.want(w.t, 4)
		sub.Close()
		<-sub.Done()
		if _, err := w.b.Replay(context.Background(), "d", "", ""); !errors.Is(err, bus.ErrNotSubscribed) {
			w.t.Errorf("Replay of what doesn't run: %v, want ErrNotSubscribed", err)
		}
	})
}

func TestFailureOverAThousandParkedResourcesHalts(t *testing.T) {
	eachWay(t, func(w *world, p *picky, open func() *bus.Subscription) {
		p.refuse(upTo(1, 1001)...)
		sub := open()
		for n := 1; n <= 1000; n++ {
			w.recordOf(fmt.Sprint("vm", n), n)
		}
		w.flushWithin(time.Hour)
		if i := sub.Inspect(); i.Parked != 1000 || i.State != "running" {
			w.t.Errorf("%d parked, %s", i.Parked, i.State)
		}
		w.recordOf("last", 1001)
		<-sub.Done()
		var halt *bus.HaltError
		if err := sub.Err(); !errors.As(err, &halt) || halt.Event.Seq != 1001 || !errors.Is(err, errRefused) {
			w.t.Errorf("Err = %v, want a *HaltError at 1001", err)
		}
		if at := w.cursor("d"); at != 1000 {
			w.t.Errorf("the cursor is at %d, want 1000: before the culprit", at)
		}
		sub.Close()
	})
}

func TestFailureParksWhatThisProgramDoesNotKnow(t *testing.T) {
	eachWay(t, func(w *world, p *picky, open func() *bus.Subscription) {
		open()
		w.recordOf("a", 1)
		w.flush() // lanes keep order per resource only
		newer := bus.Record{Header: bus.Header{ID: bus.NewID(time.Now()), Type: "test.noted", Schema: 2, Kind: "vm", ResourceID: "a"}, Data: []byte(`{"n":2,"vm":"a"}`)}
		garbled := bus.Record{Header: bus.Header{ID: bus.NewID(time.Now()), Type: "test.noted", Schema: 1, Kind: "vm", ResourceID: "b"}, Data: []byte(`{"n":`)}
		w.j.AppendRecords(newer, garbled)
		w.recordOf("a", 4)
		w.recordOf("c", 5)
		w.flush()
		p.want(w.t, 1, 5)
		w.wantParked(2, 3, 4)
		if len(w.log.lines("parked", "subscription=d")) == 0 {
			w.t.Error("it isn't reported")
		}
		if err := bus.Register[noted](w.b, "test.>", 2); err != nil { // the program that knows it
			w.t.Fatal(err)
		}
		if got := w.replay("", ""); got.Done != 2 || got.Left != 1 || !errors.As(got.Err, new(*bus.DecodeError)) {
			w.t.Errorf("replay: %+v", got)
		}
		p.want(w.t, 1, 5, 2, 4)
		w.wantParked(3)
	})
}

func TestFailureWaitingEventsOfAHotResourceAreParkedTogether(t *testing.T) {
	inBubble(t, func(w *world) {
		p := &picky{}
		p.refuse(1)
		w.subscribe(p.handle, bus.Durable("d"), bus.Retry(1, 0), bus.Queue(1000, bus.Policy{}))
		w.recordOf("a", upTo(1, 2000)...)
		w.flush()
		p.refuse()
		if got := w.replay("", ""); got.Done != 2000 || got.Err != nil {
			t.Errorf("replay: %+v", got)
		}
		p.want(t, upTo(1, 2000)...)
	})
}

// listing is a journal that counts how often all that is parked is listed, and read.
type listing struct {
	*bustest.MemJournal
	lists, reads atomic.Int64
}

func (l *listing) ParkedResources(ctx context.Context, subscription string) ([]bus.ParkedResource, error) {
	l.lists.Add(1)
	return l.MemJournal.ParkedResources(ctx, subscription)
}

func (l *listing) Parked(ctx context.Context, q bus.ParkedQuery) ([]bus.Parked, error) {
	l.reads.Add(1)
	return l.MemJournal.Parked(ctx, q)
}

func TestFailureReplayAndDiscardListOnceWhatIsParked(t *testing.T) {
	const resources = 300
	inBubble(t, func(w *world) {
		w.close()
		j := &listing{MemJournal: w.j}
		w.b = bus.New(bus.Options{Journal: j, Source: "test"})
		if err := bus.Register[noted](w.b, "test.>", 1); err != nil {
			t.Fatal(err)
		}
		w.c = w.b.Client("client")
		p := &picky{}
		p.refuse(upTo(1, 2*resources)...)
		sub := w.subscribe(p.handle, bus.Durable("d"), bus.Retry(1, 0))
		for n := 1; n <= resources; n++ {
			w.recordOf(fmt.Sprint("vm", n), n)
		}
		for n := resources + 1; n <= 2*resources; n++ {
			w.record(n) // about no resource
		}
		w.flush()
		p.refuse()
		if got := w.replay("vm", "vm7"); got.Done != 1 || sub.Inspect().Parked != 2*resources-1 {
			t.Errorf("replay of one: %+v, %d left", got, sub.Inspect().Parked)
		}
		j.lists.Store(0)
		j.reads.Store(0)
		n, err := w.b.Discard(context.Background(), "d", slices.Concat([]uint64{0, 7}, seqs(1, resources/2), seqs(resources+1, resources+10), []uint64{9999})...)
		if n != resources/2-1+10 || err != nil {
			t.Errorf("Discard: %d, %v", n, err)
		}
		if lists, reads := j.lists.Load(), j.reads.Load(); lists > 1 || reads > resources/2+20 {
			t.Errorf("Discard of %d listed all %d times and read %d pages", n, lists, reads)
		}
		j.lists.Store(0)
		j.reads.Store(0)
		if got := w.replay("", ""); got.Done != resources/2+resources-10 || got.Left != 0 || sub.Inspect().Parked != 0 {
			t.Errorf("replay: %+v, %d left", got, sub.Inspect().Parked)
		}
		if lists, reads := j.lists.Load(), j.reads.Load(); lists > 1 || reads > 3*(resources/2+resources) {
			t.Errorf("Replay listed all %d times and read %d pages", lists, reads)
		}
	})
}

func seqs(from, to uint64) (all []uint64) {
	for ; from <= to; from++ {
		all = append(all, from)
	}
	return all
}

func TestFailureStreamIsGivenWhatIsReplayed(t *testing.T) {
	inBubble(t, func(w *world) {
		w.j.AppendRecords(bus.Record{Header: bus.Header{ID: bus.NewID(time.Now()), Type: "test.noted", Schema: 2, Kind: "vm", ResourceID: "a"}, Data: []byte(`{"n":1}`)})
		w.recordOf("a", 2)
		ctx, cancel := context.WithCancel(context.Background())
		stream := bus.Stream[noted](ctx, w.c, bus.Durable("d"), bus.From(0))
		got := &sink{}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for e, err := range stream {
				if err == nil {
					got.add(e.Payload.N)
				}
			}
		}()
		synctest.Wait() // until somebody ranges over it: others are waited for by nobody
		w.flush()
		got.want(t)
		w.wantParked(1, 2)
		if err := bus.Register[noted](w.b, "test.>", 2); err != nil {
			t.Fatal(err)
		}
		if r := w.replay("", ""); r.Done != 2 || r.Err != nil {
			t.Errorf("replay: %+v", r)
		}
		w.recordOf("a", 3)
		w.flush()
		got.want(t, 1, 2, 3)
		cancel()
		<-done
	})
}

func TestFailureReplayFromAHandlerIsRefused(t *testing.T) {
	inBubble(t, func(w *world) {
		var err error
		w.subscribe(func(ctx context.Context, _ bus.Event[noted]) error {
			_, err = w.b.Replay(ctx, "d", "", "")
			return nil
		}, bus.Durable("d"))
		w.record(1)
		w.flush()
		if !errors.Is(err, bus.ErrInHandler) {
			t.Errorf("%v, want ErrInHandler: it would wait for itself", err)
		}
	})
}

func TestFailureReplayOutlivesPanicsAndGoexit(t *testing.T) {
	for name, end := range map[string]func() error{
		"panic":                func() error { panic("no") },
		"goexit":               func() error { runtime.Goexit(); return nil },
		"an error that panics": func() error { return (*fs.PathError)(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				s, broken := &sink{}, true
				w.subscribe(func(_ context.Context, e bus.Event[noted]) error {
					if broken && e.Payload.N == 1 {
						return end()
					}
					s.add(e.Payload.N)
					return nil
				}, bus.Durable("d"), bus.Retry(1, 0))
				w.recordOf("a", 1, 2)
				w.flush()
				if got := w.replay("", ""); got.Err == nil || got.Done != 0 {
					t.Errorf("replay: %+v", got)
				}
				w.wantParked(1, 2)
				broken = false
				if got := w.replay("", ""); got.Err != nil || got.Done != 2 {
					t.Errorf("replay: %+v", got)
				}
				synctest.Wait()
				s.want(t, 1, 2)
			})
		})
	}
}
