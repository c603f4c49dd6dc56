package resources_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

type noteKey struct{}

// noting begins each call with a number of its own in the context, and notes which number each phase finds.
type noting struct {
	mu    sync.Mutex
	n     int
	lines []string
}

func (*noting) Name() string { return "noting" }

func (n *noting) note(ctx context.Context, phase string, c resources.Change) {
	n.mu.Lock()
	defer n.mu.Unlock()
	number, _ := ctx.Value(noteKey{}).(string)
	n.lines = append(n.lines, phase+" "+number+" "+string(c.Action)+" "+c.ResourceID)
}

func (n *noting) Begin(ctx context.Context, c resources.Change) context.Context {
	n.note(ctx, "begin", c)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.n++
	ctx = bus.ContextWithTraceParent(ctx, strings.Replace(trace, "-01", "-0"+string(rune('0'+n.n)), 1))
	return context.WithValue(ctx, noteKey{}, string(rune('0'+n.n)))
}

func (n *noting) Before(ctx context.Context, c resources.Change) error {
	n.note(ctx, "before", c)
	return nil
}

func (n *noting) InTx(ctx context.Context, _ resources.Tx, c resources.Change) error {
	n.note(ctx, "in tx", c)
	return nil
}

func (n *noting) After(ctx context.Context, c resources.Change, _ error) { n.note(ctx, "after", c) }

func (n *noting) want(t *testing.T, lines ...string) {
	t.Helper()
	if !slices.Equal(n.lines, lines) {
		t.Errorf("noted\n%s\nwant\n%s", strings.Join(n.lines, "\n"), strings.Join(lines, "\n"))
	}
	n.lines = nil
}

func TestListenersBeginIsFirstAndItsContextTheCalls(t *testing.T) {
	n := &noting{}
	r := newRig(t, resources.Options{Listeners: []resources.Listener{n}})
	r.create(t, storetest.Gadget{Object: resources.Object{ID: "a"}})
	n.want(t, "begin  created a", "before 1 created a", "in tx 1 created a", "after 1 created a")
	r.fire(t, "a", "start_requested")
	n.want(t, "begin  moved a", "before 2 moved a", "in tx 2 moved a", "after 2 moved a")
	if _, err := r.gadgets.Update(t.Context(), "a", func(*storetest.Gadget) error { return nil }); err != nil {
		t.Fatal(err)
	}
	n.want(t, "begin  updated a", "after 3 unchanged a")
	if _, err := r.gadgets.Fire(t.Context(), "nobody", "start_requested"); !errors.Is(err, resources.ErrNotFound) {
		t.Fatal(err)
	}
	n.want(t, "begin  moved nobody", "after 4 moved nobody")
	if _, err := r.gadgets.Fire(t.Context(), "a", "start_requested", nil); err == nil { // a faulty option
		t.Fatal("fired")
	}
	n.want(t, "begin  moved a", "after 5 moved a")
	if _, err := r.gadgets.Handle().Create(t.Context(), nil); err == nil {
		t.Fatal("created")
	}
	n.want(t, "begin  created ", "after 6 created ")
	for i, rec := range r.records(t) {
		if want := strings.Replace(trace, "-01", "-0"+string(rune('1'+i)), 1); rec.TraceParent != want {
			t.Errorf("event %d has trace %q, want %q", rec.Seq, rec.TraceParent, want)
		}
	}
}

func TestListenersBeginOfBatchesAndPurges(t *testing.T) {
	n := &noting{}
	r := newRig(t, resources.Options{Listeners: []resources.Listener{n}})
	gadget := func(id string) storetest.Gadget { return storetest.Gadget{Object: resources.Object{ID: id}} }
	if _, err := r.gadgets.CreateBatch(t.Context(), []storetest.Gadget{gadget("a"), gadget("b")}); err != nil {
		t.Fatal(err)
	}
	n.want(t, "begin  created a", "before 1 created a", "begin  created b", "before 2 created b",
		"in tx  created a", "in tx  created b", "after 1 created a", "after 2 created b")
	r.fire(t, "a", "scrap_requested")
	r.fire(t, "a", "operation_succeeded")
	n.lines = nil
	r.clock.advance(1)
	if done, err := r.gadgets.Purge(t.Context(), 0); err != nil || done.Removed != 1 {
		t.Fatal(done, err)
	}
	n.want(t, "begin  removed a", "before 5 removed a", "in tx  removed a", "after 5 removed a")
	for i, rec := range r.records(t) {
		if want := strings.Replace(trace, "-01", "-0"+string(rune('1'+i)), 1); rec.TraceParent != want {
			t.Errorf("event %d (%s) has trace %q, want %q", rec.Seq, rec.Type, rec.TraceParent, want)
		}
	}
}

func TestListenersBeginMayGiveACorrelation(t *testing.T) {
	begin := listeners.Funcs{ListenerName: "begin", OnBegin: func(ctx context.Context, c resources.Change) context.Context {
		return bus.ContextWithCorrelation(ctx, "of "+c.ResourceID)
	}}
	r := newRig(t, resources.Options{Listeners: []resources.Listener{begin}})
	gadget := func(id string) storetest.Gadget { return storetest.Gadget{Object: resources.Object{ID: id}} }
	r.create(t, gadget("a"))
	if _, err := r.gadgets.CreateBatch(t.Context(), []storetest.Gadget{gadget("b")}); err != nil {
		t.Fatal(err)
	}
	for _, rec := range r.records(t) {
		if rec.CorrelationID != "of "+rec.ResourceID {
			t.Errorf("event of %s has correlation %q", rec.ResourceID, rec.CorrelationID)
		}
	}
}

func TestFailureInBeginChangesNothing(t *testing.T) {
	var after []string
	first := listeners.Funcs{
		ListenerName: "first",
		OnBegin: func(ctx context.Context, _ resources.Change) context.Context {
			return context.WithValue(ctx, noteKey{}, "first")
		},
		OnAfter: func(ctx context.Context, _ resources.Change, err error) {
			after = append(after, ctx.Value(noteKey{}).(string)+": "+err.Error())
		},
	}
	exit := false
	second := listeners.Funcs{ListenerName: "second", OnBegin: func(context.Context, resources.Change) context.Context {
		if exit {
			runtime.Goexit()
		}
		panic("its own fault")
	}}
	r := newRig(t, resources.Options{Listeners: []resources.Listener{first, second}})
	_, err := r.gadgets.Create(t.Context(), storetest.Gadget{Object: resources.Object{ID: "a"}})
	var panicked *resources.PanicError
	if !errors.As(err, &panicked) || panicked.Where != "listener second, Begin" || panicked.ID != "a" {
		t.Errorf("err %v", err)
	}
	exit = true
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = r.gadgets.Create(context.Background(), storetest.Gadget{Object: resources.Object{ID: "b"}})
	}()
	<-ended
	if len(after) != 2 || !strings.HasPrefix(after[0], "first: ") || !strings.Contains(after[0], "its own fault") || !strings.Contains(after[1], "Goexit") {
		t.Errorf("after-listeners were told %q", after)
	}
	if n := len(r.records(t)); n != 0 {
		t.Errorf("%d events", n)
	}
}

func TestListenersBeginOfNilLeavesTheContext(t *testing.T) {
	var found string
	none := listeners.Funcs{ListenerName: "none", OnBegin: func(context.Context, resources.Change) context.Context { return nil }}
	after := listeners.Funcs{ListenerName: "after", OnAfter: func(ctx context.Context, _ resources.Change, _ error) {
		found, _ = ctx.Value(noteKey{}).(string)
	}}
	r := newRig(t, resources.Options{Listeners: []resources.Listener{none, listeners.For(after, "gadget")}})
	if _, err := r.gadgets.Create(context.WithValue(t.Context(), noteKey{}, "the caller's"), storetest.Gadget{}); err != nil || found != "the caller's" {
		t.Errorf("found %q (%v)", found, err)
	}
}

// A context that a listener made of nothing doesn't hide that the caller is a member of the writer it would wait for.
func TestListenersBeginCantHideTheWriter(t *testing.T) {
	bare := listeners.Funcs{ListenerName: "bare", OnBegin: func(context.Context, resources.Change) context.Context { return context.Background() }}
	r := newRig(t, resources.Options{Listeners: []resources.Listener{bare}})
	_, err := r.gadgets.Create(bus.EnterWriter(t.Context(), r.store.Journal()), storetest.Gadget{})
	if !errors.Is(err, resources.ErrInWriter) {
		t.Errorf("err %v", err)
	}
}

func TestStuckReportsAreCounted(t *testing.T) {
	r := newRig(t, resources.Options{})
	r.create(t, storetest.Gadget{Object: resources.Object{ID: "a"}})
	r.fire(t, "a", "start_requested")
	count := func() uint64 { return r.gadgets.Handle().StuckReports()[fsm.State("starting")] }
	limit, _ := r.gadgets.Handle().Machine().Limit("starting")
	if n := count(); n != 0 {
		t.Errorf("%d at first", n)
	}
	for want := range uint64(3) {
		r.clock.advance(limit)
		for range 2 {
			if _, err := r.engine.ReportStuck(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := count(); n != want+1 {
				t.Errorf("%d, want %d", n, want+1)
			}
		}
	}
}
