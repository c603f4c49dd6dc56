package resources_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

// acted returns the events of all actions, with their headers.
func acted(t testing.TB, j bus.Journal) (headers []bus.Header, events []resources.Acted) {
	t.Helper()
	records, err := j.Read(context.Background(), 0, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range records {
		if !strings.HasPrefix(record.Type, "action.") {
			continue
		}
		var a resources.Acted
		if err := json.Unmarshal(record.Data, &a); err != nil {
			t.Fatal(err)
		}
		headers, events = append(headers, record.Header), append(events, a)
	}
	return headers, events
}

// types are the event types of all actions.
func types(t testing.TB, j bus.Journal) string {
	t.Helper()
	headers, _ := acted(t, j)
	var all []string
	for _, h := range headers {
		all = append(all, strings.TrimPrefix(h.Type, "action."))
	}
	return strings.Join(all, " ")
}

// last is the newest event of an action.
func last(t testing.TB, j bus.Journal) resources.Acted {
	t.Helper()
	_, events := acted(t, j)
	if len(events) == 0 {
		t.Fatal("there are no events of actions")
	}
	return events[len(events)-1]
}

func (r *rig) act(t testing.TB, opts ...resources.Option) (context.Context, resources.Done) {
	t.Helper()
	ctx, done, err := r.engine.Action(context.Background(), "user:1", "gadget", "start", opts...)
	if err != nil {
		t.Fatal(err)
	}
	return ctx, done
}

func TestActionRefusesBadInput(t *testing.T) {
	r := newRig(t, resources.Options{})
	ctx := t.Context()
	for name, c := range map[string]struct {
		actor, kind, verb string
		opts              []resources.Option
		says              string
	}{
		"no kind":            {"a", "", "start", nil, `kind: "" is no name`},
		"kind with a dot":    {"a", "vm.x", "start", nil, `kind: "vm.x"`},
		"no verb":            {"a", "vm", "", nil, `verb: ""`},
		"verb in capitals":   {"a", "vm", "Start", nil, `verb: "Start" is no name: it matches [a-z][a-z0-9_]*`},
		"verb too long":      {"a", "vm", strings.Repeat("v", 65), nil, "at most 64 bytes"},
		"no actor":           {"", "vm", "start", nil, "actor: is empty"},
		"actor not UTF-8":    {"\xff", "vm", "start", nil, "actor"},
		"actor too long":     {strings.Repeat("a", 256), "vm", "start", nil, "actor: has 256 bytes"},
		"target with a star": {"a", "vm", "start", []resources.Option{resources.Target("a*")}, `target: "a*"`},
		"empty target":       {"a", "vm", "start", []resources.Option{resources.Target("")}, "target: is empty"},
		"tenant too long":    {"a", "vm", "start", []resources.Option{resources.Tenant(strings.Repeat("t", 256))}, "tenant: has 256 bytes"},
		"reason too long":    {"a", "vm", "start", []resources.Option{resources.Reason(strings.Repeat("t", 1025))}, "reason"},
		"actor as an option": {"a", "vm", "start", []resources.Option{resources.Actor("b")}, "actor: is an argument"},
		"At":                 {"a", "vm", "start", []resources.Option{resources.At(r.clock.read())}, "at: is no option"},
		"Set":                {"a", "vm", "start", []resources.Option{resources.Set(func(any) error { return nil })}, "Set: is an option of Fire"},
		"With":               {"a", "vm", "start", []resources.Option{resources.With(func(resources.Tx) error { return nil })}, "With"},
		"Operation":          {"a", "vm", "start", []resources.Option{resources.Operation(bus.NewID(r.clock.read()))}, "Operation"},
		"nil option":         {"a", "vm", "start", []resources.Option{nil}, "option 0 is nil"},
	} {
		t.Run(name, func(t *testing.T) {
			back, done, err := r.engine.Action(ctx, c.actor, c.kind, c.verb, c.opts...)
			_, err2 := r.engine.Schedule(ctx, c.actor, c.kind, c.verb, c.opts...)
			for _, err := range []error{err, err2} {
				var invalid *resources.InvalidError
				if !errors.As(err, &invalid) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v, want an InvalidError with %q", err, c.says)
				}
			}
			if back != ctx || done(nil) != nil || !errors.Is(done(err), err) {
				t.Error("what comes with an error isn't usable")
			}
		})
	}
	for name, opt := range map[string]resources.Option{"Target": resources.Target("a"), "Tenant": resources.Tenant("a")} {
		if _, err := r.gadgets.Create(ctx, storetest.Gadget{}, opt); err == nil || !strings.Contains(err.Error(), name+": is an option of Action") {
			t.Errorf("Create with %s: %v", name, err)
		}
	}
	if _, _, err := r.engine.Actions(ctx, resources.ActionQuery{Limit: 1001}); err == nil || !strings.Contains(err.Error(), "limit: 1001") {
		t.Errorf("Actions with a limit of 1,001: %v", err)
	}
	if n := len(r.records(t)); n > 0 {
		t.Errorf("%d events", n)
	}
}

// actionless hides what a store can do beside the least.
type actionless struct{ resources.Store }

func TestActionOnAStoreWithoutActions(t *testing.T) {
	r := newRig(t, resources.Options{Store: actionless{memstore.New(memstore.Options{})}})
	_, _, acting := r.engine.Action(t.Context(), "user:1", "vm", "start")
	_, scheduling := r.engine.Schedule(t.Context(), "user:1", "vm", "start")
	_, attaching := r.engine.Scheduled(t.Context(), bus.NewID(r.clock.read()))
	_, _, listing := r.engine.Actions(t.Context(), resources.ActionQuery{})
	_, closing := r.engine.CloseActions(t.Context())
	for i, err := range []error{acting, scheduling, attaching, listing, closing} {
		if !errors.Is(err, resources.ErrNoActions) || !strings.Contains(err.Error(), "actionless") {
			t.Errorf("call %d: %v, want ErrNoActions and the store", i, err)
		}
	}
}

func TestActionHasItsResourcesTenant(t *testing.T) {
	r := newRig(t, resources.Options{})
	g := r.create(t, storetest.Gadget{Object: resources.Object{Tenant: "acme"}})
	for _, c := range []struct {
		opts []resources.Option
		want string
	}{
		{nil, ""},
		{[]resources.Option{resources.Target(g.ID)}, "acme"},
		{[]resources.Option{resources.Target(g.ID), resources.Tenant("other")}, "other"},
		{[]resources.Option{resources.Target("not-there")}, ""},
	} {
		_, done := r.act(t, c.opts...)
		if err := done(nil); err != nil {
			t.Fatal(err)
		}
		if headers, _ := acted(t, r.store.Journal()); headers[len(headers)-1].Tenant != c.want {
			t.Errorf("tenant %q, want %q", headers[len(headers)-1].Tenant, c.want)
		}
	}
	_, done, err := r.engine.Action(t.Context(), "user:1", "no_kind_of_ours", "explode", resources.Target("x"))
	if err != nil || done(nil) != nil {
		t.Errorf("about something that is no kind: %v", err)
	}
}

func TestActionsNestEachWithItsCause(t *testing.T) {
	r := newRig(t, resources.Options{})
	g := r.create(t, storetest.Gadget{})
	outer, outerDone := r.act(t)
	inner, innerDone, err := r.engine.Action(outer, "", "gadget", "prepare")
	if err != nil {
		t.Fatal(err)
	}
	changed, err := r.gadgets.Fire(inner, g.ID, "start_requested")
	if err != nil {
		t.Fatal(err)
	}
	other, err := r.gadgets.Fire(outer, g.ID, fsm.OperationSucceeded, resources.Actor("driver"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(innerDone(errors.New("no room")), outerDone(nil)); !strings.Contains(err.Error(), "no room") {
		t.Fatal(err)
	}
	records := map[string]bus.Record{}
	var order []string
	for _, record := range r.records(t)[1:] {
		records[record.Type], order = record, append(order, record.Type)
	}
	want := map[string]string{ // the cause of each
		"action.gadget.start.scheduled": "", "action.gadget.start.started": "action.gadget.start.scheduled",
		"action.gadget.prepare.scheduled": "action.gadget.start.started", "action.gadget.prepare.started": "action.gadget.prepare.scheduled",
		changed.EventType(): "action.gadget.prepare.started", other.EventType(): "action.gadget.start.started",
		"action.gadget.prepare.failed": "action.gadget.prepare.started", "action.gadget.start.succeeded": "action.gadget.start.started",
	}
	if len(order) != len(want) {
		t.Fatalf("events %v", order)
	}
	first := records["action.gadget.start.scheduled"]
	for name, record := range records {
		cause := ""
		if want[name] != "" {
			cause = records[want[name]].ID.String()
		}
		if record.CausationID != cause || record.CorrelationID != first.ID.String() {
			t.Errorf("%s: cause %s, correlation %s, want %s and %s", name, record.CausationID, record.CorrelationID, cause, first.ID)
		}
	}
	if a, b := records[changed.EventType()].Actor, records[other.EventType()].Actor; a != "user:1" || b != "driver" {
		t.Errorf("actors %q and %q", a, b)
	}
}

// An action's events are typed ones for durable subscriptions, and what a handler begins is caused by its event.
func TestActionsAreHandled(t *testing.T) {
	r := newRig(t, resources.Options{})
	got := make(chan bus.Event[resources.Acted], 10)
	if _, err := bus.Subscribe(r.bus.Client("audit"), func(ctx context.Context, e bus.Event[resources.Acted]) error {
		got <- e
		if e.Payload.Verb != "start" || e.Payload.Status != resources.ActionSucceeded {
			return nil
		}
		_, done, err := r.engine.Action(ctx, "", "gadget", "follow_up")
		return errors.Join(err, done(nil))
	}, bus.Durable("audit")); err != nil {
		t.Fatal(err)
	}
	_, done := r.act(t, resources.Tenant("acme"))
	if err := done(nil); err != nil {
		t.Fatal(err)
	}
	var all []bus.Event[resources.Acted]
	for range 6 {
		all = append(all, <-got)
	}
	for i, e := range all {
		if e.Payload.EventType() != e.Type || e.Actor != "user:1" || e.CorrelationID != all[0].ID.String() || e.Payload.Action.IsZero() {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	if all[0].Tenant != "acme" || all[3].CausationID != all[2].ID.String() {
		t.Errorf("tenant %q; the second action's cause is %s, want the first one's end %s", all[0].Tenant, all[3].CausationID, all[2].ID)
	}
}

func TestScheduledActionIsStartedElsewhere(t *testing.T) {
	r := newRig(t, resources.Options{})
	a, err := r.engine.Schedule(bus.ContextWithCorrelation(t.Context(), "request-1"), "user:1", "gadget", "start")
	if err != nil {
		t.Fatal(err)
	}
	r.clock.advance(1e9)
	worker, err := r.engine.Scheduled(t.Context(), a.ID())
	if err != nil {
		t.Fatal(err)
	}
	ctx, done, err := worker.Start(bus.ContextWithCorrelation(t.Context(), "the worker's own"))
	if err != nil {
		t.Fatal(err)
	}
	if correlation, _ := bus.Correlation(ctx); correlation != "request-1" {
		t.Errorf("correlation %q", correlation)
	}
	for what, err := range map[string]error{"Cancel": a.Cancel(ctx, errors.New("too late")), "Scheduled": errorOf(r.engine.Scheduled(ctx, a.ID())), "Start": errorOf3(a.Start(ctx))} {
		if !errors.Is(err, resources.ErrActionStarted) {
			t.Errorf("%s of what was started: %v", what, err)
		}
	}
	if err := done(nil); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{"Cancel": a.Cancel(ctx, errors.New("too late")), "Scheduled": errorOf(r.engine.Scheduled(ctx, a.ID())), "Start": errorOf3(a.Start(ctx))} {
		if !errors.Is(err, resources.ErrActionClosed) {
			t.Errorf("%s of what has ended: %v", what, err)
		}
	}
	if got := types(t, r.store.Journal()); got != "gadget.start.scheduled gadget.start.started gadget.start.succeeded" {
		t.Errorf("events %s", got)
	}
	if e := last(t, r.store.Journal()); e.StartedAt.Sub(e.ScheduledAt) != 1e9 {
		t.Errorf("scheduled at %s, started at %s", e.ScheduledAt, e.StartedAt)
	}
	b, err := r.engine.Schedule(t.Context(), "user:1", "gadget", "stop")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Cancel(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "cause: is nil") {
		t.Errorf("Cancel without a cause: %v", err)
	}
	if err := b.Cancel(t.Context(), errors.New("no room")); err != nil {
		t.Error(err)
	}
	if e := last(t, r.store.Journal()); e.Status != resources.ActionFailed || e.Error != "no room" || !e.StartedAt.IsZero() || e.EndedAt.IsZero() {
		t.Errorf("cancelled: %+v", e)
	}
}

func errorOf[T any](_ T, err error) error          { return err }
func errorOf3[A, B any](_ A, _ B, err error) error { return err }

// nilError panics when it is asked what it says.
type nilError struct{ text *string }

func (e nilError) Error() string { return *e.text }

func TestActionFailureIsTold(t *testing.T) {
	r := newRig(t, resources.Options{})
	long := strings.Repeat("ä", 2000)
	for name, c := range map[string]struct {
		err  error
		how  resources.Failure
		text string
	}{
		"an error":           {errors.New("no room"), resources.FailureError, "no room"},
		"a cancelled caller": {fmt.Errorf("copy: %w", context.Canceled), resources.FailureError, "copy: context canceled"},
		"not UTF-8":          {errors.New("a\xffb\x00"), resources.FailureError, "a\uFFFDb\x00"},
		"long":               {errors.New(long), resources.FailureError, long[:1020] + "…"},
		"an error panics":    {nilError{}, resources.FailureError, "a resources_test.nilError, which panics when it is asked"},
		"a panic of a guard": {&resources.PanicError{Kind: "vm", ID: "a", Where: "Set", Value: "x"}, resources.FailurePanic, "resources: vm/a: panic in Set: x"},
	} {
		t.Run(name, func(t *testing.T) {
			_, done := r.act(t)
			if err := done(c.err); err != c.err {
				t.Errorf("done returns %v", err)
			}
			e := last(t, r.store.Journal())
			if e.Status != resources.ActionFailed || e.Failure != c.how || e.Error != c.text || len(e.Error) > 1024 || !utf8.ValidString(e.Error) {
				t.Errorf("%s %q, want %s %q", e.Failure, e.Error, c.how, c.text)
			}
		})
	}
}

func TestActionEndsOnce(t *testing.T) {
	r := newRig(t, resources.Options{})
	_, done := r.act(t)
	failed := errors.New("no room")
	if err := done(failed); err != failed {
		t.Fatal(err)
	}
	for _, err := range []error{nil, failed} {
		again := done(err)
		if !errors.Is(again, resources.ErrActionClosed) || err != nil && !errors.Is(again, err) {
			t.Errorf("again, with %v: %v", err, again)
		}
	}
	if got := types(t, r.store.Journal()); got != "gadget.start.scheduled gadget.start.started gadget.start.failed" {
		t.Errorf("events %s", got)
	}
}

// unwind runs an operation that doesn't return, on a goroutine of its own, and returns what it panicked with.
func unwind(fn func()) (value any) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() { value = recover() }()
		fn()
	}()
	<-ended
	return value
}

func TestActionThatPanicsHasFailed(t *testing.T) {
	r := newRig(t, resources.Options{})
	boom := errors.New("boom")
	byDefer := func(end func()) func() {
		return func() {
			_ = func() (err error) {
				_, done := r.act(t)
				defer done.Defer(&err)
				end()
				return nil
			}()
		}
	}
	byHand := func(end func()) func() {
		return func() {
			_ = func() (err error) {
				_, done := r.act(t)
				defer func() { err = done(err) }()
				end()
				return nil
			}()
		}
	}
	inside := func(end func()) func() {
		return func() {
			_ = func() (err error) {
				_, done := r.act(t)
				defer func() { done.Defer(&err) }()
				end()
				return nil
			}()
		}
	}
	for name, c := range map[string]struct {
		run  func()
		want any
		how  resources.Failure
		text string
	}{
		"Defer, a panic":                             {byDefer(func() { panic(boom) }), boom, resources.FailurePanic, "panic: boom"},
		"Defer, Goexit":                              {byDefer(runtime.Goexit), nil, resources.FailurePanic, "panic: the function that acted didn't return"},
		"Defer, a return":                            {byDefer(func() {}), nil, "", ""},
		"deferred, a panic":                          {byHand(func() { panic(boom) }), boom, resources.FailurePanic, "panic: the function that acted didn't return"},
		"deferred, Goexit":                           {byHand(runtime.Goexit), nil, resources.FailurePanic, "panic: the function that acted didn't return"},
		"deferred, a return":                         {byHand(func() {}), nil, "", ""},
		"Defer within a deferred function, a panic":  {inside(func() { panic(boom) }), boom, resources.FailurePanic, "panic: the function that acted didn't return"},
		"Defer within a deferred function, Goexit":   {inside(runtime.Goexit), nil, resources.FailurePanic, "panic: the function that acted didn't return"},
		"Defer within a deferred function, a return": {inside(func() {}), nil, "", ""},
		"Defer without error":                        {func() { _, done := r.act(t); defer done.Defer(nil) }, nil, "", ""},
		"within a panic": {func() {
			defer func() { // an action of its own that succeeds, on the way out
				_, done := r.act(t)
				_ = done(nil)
			}()
			panic(boom)
		}, boom, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := unwind(c.run); !reflect.DeepEqual(got, c.want) {
				t.Errorf("the panic goes on as %v, want %v", got, c.want)
			}
			if e := last(t, r.store.Journal()); e.Failure != c.how || e.Error != c.text || (e.Status == resources.ActionSucceeded) != (c.how == "") {
				t.Errorf("%s: %s %q, want %s %q", e.Status, e.Failure, e.Error, c.how, c.text)
			}
		})
	}
	_, events := acted(t, r.store.Journal())
	storetest.WantActions(t, events)
}

func ExampleEngine_Action() {
	store := memstore.New(memstore.Options{})
	b := bus.New(bus.Options{Journal: store.Journal()})
	defer func() { _ = b.Close(context.Background()) }()
	engine, err := resources.New(resources.Options{Store: store, Bus: b})
	if err != nil {
		fmt.Println(err)
		return
	}
	rename := func(ctx context.Context, user, name string) (err error) {
		_, done, err := engine.Action(ctx, user, "folder", "rename", resources.Target("reports"))
		if err != nil {
			return err
		}
		defer done.Defer(&err)
		if name == "" {
			return errors.New("a folder needs a name")
		}
		return nil
	}
	fmt.Println(rename(context.Background(), "user:42", "2026"), rename(context.Background(), "user:42", ""))
	records, err := store.Journal().Read(context.Background(), 0, 10)
	if err != nil {
		fmt.Println(err)
	}
	for _, r := range records {
		fmt.Println(r.Seq, r.Type, r.Subject(), r.Actor)
	}
	// Output:
	// <nil> a folder needs a name
	// 1 action.folder.rename.scheduled folder/reports user:42
	// 2 action.folder.rename.started folder/reports user:42
	// 3 action.folder.rename.succeeded folder/reports user:42
	// 4 action.folder.rename.scheduled folder/reports user:42
	// 5 action.folder.rename.started folder/reports user:42
	// 6 action.folder.rename.failed folder/reports user:42
}
