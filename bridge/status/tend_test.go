package status_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func (s *site) later(d time.Duration) {
	s.t.Helper()
	s.must(s.bus.Flush(s.t.Context()))
	s.clock.add(d)
	s.must(s.ingest.CheckNow(s.t.Context()))
}

func (s *site) wantAlerts(want ...string) {
	s.t.Helper()
	got := s.activeAlerts()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		s.t.Errorf("alerts %q, want %q", got, want)
	}
}

func TestADisagreementIsTold(t *testing.T) {
	s := newSite(t).start()
	s.vm("a")
	s.vm("b", vm.StartRequested, vm.OperationSucceeded)
	s.publish(s.say(1, "a", "ERROR"), s.say(1, "b", "RUNNING"))
	s.later(time.Minute)
	s.fire("b", vm.StopRequested)
	s.later(6 * time.Minute) // stopping: it is on its way
	s.wantAlerts("disagreement a")
	s.fire("b", vm.OperationSucceeded)
	s.later(4 * time.Minute)
	s.wantAlerts("disagreement a")
	s.restart()
	s.later(2 * time.Minute)
	s.wantAlerts("disagreement a", "disagreement b")
	page, _, err := s.ingest.List(t.Context(), status.SeenQuery{Differs: true})
	if err != nil || len(page) != 2 || page[1].ResourceID != "b" || page[1].State != vm.Stopped || page[1].Status != status.Running || page[1].DiffersSince.IsZero() {
		t.Errorf("they differ: %+v, %v", page, err)
	}
	s.publish(s.say(1000, "b", "STOPPED")) // the provider follows
	s.fire("a", vm.DestroyRequested)       // whatever it is, it isn't an error
	s.publish(s.say(1000, "a", "STOPPED"))
	s.later(time.Minute)
	s.wantAlerts()
	want := []string{"a status.vm.disagreed", "b status.vm.disagreed"}
	if got := s.events("status.vm.disagreed"); !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
	if got := s.events("status.vm.agreed"); len(got) != 2 {
		t.Errorf("events %q, want 2", got)
	}
}

// TestWhoeverMoves: a resource that somebody moves is compared again, whatever he calls himself.
func TestWhoeverMovesIsCompared(t *testing.T) {
	s := newSite(t).start()
	s.vm("a", vm.StartRequested, vm.OperationSucceeded)
	s.publish(s.say(1, "a", "RUNNING"))
	h, err := s.engine.Kind("vm")
	s.must(err)
	for _, on := range []fsm.Trigger{vm.StopRequested, vm.OperationSucceeded} {
		_, err := h.Fire(t.Context(), "a", on, resources.Actor("provider:east"))
		s.must(err)
	}
	s.later(6 * time.Minute)
	s.later(6 * time.Minute)
	s.wantAlerts("disagreement a")
}

// TestAMoveWhileTheFirstReportIsWritten: a report is compared with how its resource stands then, not with how it stood when its batch was planned.
func TestAMoveWhileTheFirstReportIsWritten(t *testing.T) {
	s := newSite(t)
	moved := false
	s.more = []resources.Listener{listeners.Funcs{ListenerName: "overtake", OnBefore: func(ctx context.Context, c resources.Change) error {
		if c.ResourceID != "b" || moved {
			return nil
		}
		moved = true // the batch is being planned: a has been read
		h, err := s.engine.Kind("vm")
		for _, on := range []fsm.Trigger{vm.StartRequested, vm.OperationSucceeded} {
			if err == nil {
				_, err = h.Fire(t.Context(), "a", on)
			}
		}
		if err = errors.Join(err, s.bus.Flush(t.Context())); err != nil {
			t.Error(err)
		}
		return nil
	}}}
	moved = true
	s.start()
	s.vm("a")
	s.vm("b")
	s.stop()
	for _, l := range []bridge.Letter{s.say(1, "b", "RUNNING"), s.say(1, "a", "ERROR")} { // one batch
		s.must(s.transport.Publish(t.Context(), l))
	}
	moved = false
	s.start()
	s.until("both are applied", func() bool { return s.ingest.Stats().Applied == 2 })
	seen, err := s.ingest.Observed(t.Context(), "vm", "a")
	if err != nil || !moved || seen.State != s.state("vm", "a") {
		t.Errorf("beside %s stands %s, %v", s.state("vm", "a"), seen.State, err)
	}
}

func TestAnOrphanIsTold(t *testing.T) {
	s := newSite(t).start()
	s.publish(s.say(1, "x", "RUNNING"), s.say(2, "y", "RUNNING"), s.say(3, "x", "PAUSED"), s.say(2, "x", "STOPPED"))
	if c := s.ingest.Stats(); c.Held != 3 || c.Stale != 1 {
		t.Errorf("counted %+v", c)
	}
	s.later(9 * time.Minute)
	s.wantAlerts()
	s.restart()
	s.later(2 * time.Minute)
	s.wantAlerts("orphan x", "orphan y")
	s.later(20 * time.Minute)
	if got := s.events("status.vm.orphaned"); len(got) != 2 {
		t.Errorf("events %q, want 2", got)
	}
	orphans, _, err := s.ingest.Held(t.Context(), status.HeldQuery{Orphans: true})
	if err != nil || len(orphans) != 2 || orphans[0].Status != status.Paused || orphans[0].Provider != "east" {
		t.Errorf("orphans %+v, %v", orphans, err)
	}
	s.vm("x")
	s.must(s.ingest.CheckNow(t.Context()))
	s.must(s.ingest.DropHeld(t.Context(), "vm", "y"))
	s.wantAlerts()
	if got := s.state("vm", "x"); got != vm.Paused {
		t.Errorf("x is %s", got)
	}
	if held, _, err := s.ingest.Held(t.Context(), status.HeldQuery{}); err != nil || len(held) != 0 {
		t.Errorf("still held: %+v, %v", held, err)
	}
}

func TestWhatIsHeldIsTakenAfterACrash(t *testing.T) {
	s := newSite(t).start()
	s.publish(s.say(1, "x", "RUNNING"))
	s.stop()
	// The VM is made by a server without the plugin, as by one that dies after the commit.
	s.open()
	engine, err := resources.New(resources.Options{Store: s.store, Bus: s.bus, Logger: quiet, Listeners: []resources.Listener{listeners.Post()}})
	s.must(err)
	vms, err := resources.Register[vm.VM](engine, vm.Machine)
	s.must(err)
	_, err = vms.Create(t.Context(), vm.VM{Object: resources.Object{ID: "x"}})
	s.must(err)
	s.must(s.bus.Close(context.Background()))
	s.must(s.store.Close(context.Background()))
	s.start()
	s.until("it is applied", func() bool { return s.state("vm", "x") == vm.Running })
}

func TestAPurgeForgets(t *testing.T) {
	s := newSite(t).start()
	s.vm("a")
	s.publish(s.say(1, "a", "STOPPED"))
	s.fire("a", vm.ExpungeRequested, vm.OperationSucceeded)
	h, err := s.engine.Kind("vm")
	s.must(err)
	s.clock.add(time.Hour)
	_, err = h.Purge(t.Context(), time.Minute)
	s.must(err)
	if got := s.seen("vm", "a"); got != "none" {
		t.Errorf("observed is %s", got)
	}
}

func TestOwnersAreHandedOver(t *testing.T) {
	s := newSite(t).start()
	s.vm("a")
	west := func(n int) bridge.Letter {
		return told{id: fmt.Sprint("w", n), source: "dcm/providers/west", kind: "vm", resource: "a", status: "RUNNING", at: s.clock.now().Add(time.Duration(n) * time.Second)}.letter()
	}
	s.publish(s.say(1, "a", "STOPPED"), west(1), west(2))
	if got := s.events("status.vm.wrong_provider"); len(got) != 1 {
		t.Errorf("events %q: many rejections are one piece of news", got)
	}
	if code := s.call("PUT", "/v1/status/observations/vm/a/provider", `{"provider":"west"}`, nil); code != http.StatusNoContent {
		t.Errorf("the hand-over is answered with %d", code)
	}
	s.publish(west(3), s.say(9000, "a", "PAUSED"))
	if got := s.state("vm", "a") + " " + fsm.State(s.seen("vm", "a")); got != "running RUNNING" {
		t.Errorf("a is %s", got)
	}
	s.must(s.ingest.HandOver(t.Context(), "vm", "a", "")) // the next one's
	s.publish(s.say(10_000, "a", "PAUSED"))
	if got := s.state("vm", "a") + " " + fsm.State(s.seen("vm", "a")); got != "paused PAUSED" {
		t.Errorf("a is %s", got)
	}
	all, err := s.ingest.Providers(t.Context())
	if err != nil || len(all) != 2 || all[0].Name != "east" || all[0].Resources != 1 || all[0].Quarantined != 1 || all[1].Quarantined != 2 || all[1].Resources != 0 {
		t.Errorf("providers %+v, %v", all, err)
	}
}

func TestAMessageIsReplayed(t *testing.T) {
	s := newSite(t)
	s.start()
	s.vm("a")
	odd := told{id: "o1", source: "dcm/providers/east", kind: "vm", resource: "a", status: "HUMMING", at: s.clock.now().Add(time.Millisecond)}
	late := odd
	late.id, late.at = "o0", s.clock.now().Add(-time.Hour)
	s.publish(odd.letter(), late.letter())
	var list struct {
		Messages []status.Quarantined
		Next     string
	}
	if code := s.call("GET", "/v1/status/quarantine?reason=unknown_status&limit=1", "", &list); code != 200 || len(list.Messages) != 1 || list.Next == "" || list.Messages[0].Provider != "east" {
		t.Fatalf("the quarantine is answered with %d: %+v", code, list)
	}
	first := list.Messages[0].ID
	if code := s.call("GET", "/v1/status/quarantine?after="+list.Next, "", &list); code != 200 || len(list.Messages) != 1 {
		t.Fatalf("the next page is answered with %d: %+v", code, list)
	}
	second := list.Messages[0].ID
	if code := s.call("POST", "/v1/status/quarantine/"+first+"/replay", "", nil); code != http.StatusConflict {
		t.Errorf("a replay before the fix is answered with %d", code)
	}
	// The fix: the server learns the word.
	fixed := status.VM
	fixed.Aliases = map[string]status.Status{"HUMMING": status.Running}
	intake := status.Intakes()[0]
	intake.ServiceType = fixed
	s.options.Types = []status.Intake{intake}
	s.restart()
	for _, id := range []string{first, second} {
		if code := s.call("POST", "/v1/status/quarantine/"+id+"/replay", "", nil); code != http.StatusNoContent {
			t.Errorf("the replay is answered with %d", code)
		}
	}
	if got := s.state("vm", "a"); got != vm.Running {
		t.Errorf("a is %s", got)
	}
	if c := s.ingest.Stats(); c.Applied != 1 || c.Stale != 1 { // each in its old place
		t.Errorf("counted %+v", c)
	}
	if code := s.call("POST", "/v1/status/quarantine/"+first+"/replay", "", nil); code != http.StatusNotFound {
		t.Errorf("a second replay is answered with %d", code)
	}
}

func TestTheListsAreServed(t *testing.T) {
	s := newSite(t).start()
	for n := range 5 {
		s.vm(fmt.Sprint("v", n))
		s.publish(s.say(1, fmt.Sprint("v", n), "RUNNING"), s.say(1, fmt.Sprint("h", n), "RUNNING"))
	}
	s.publish(bridge.Letter{Subject: "dcm.vm", Data: []byte("rubbish")})
	var seen struct {
		Observations []status.Seen
		Next         string
	}
	ids := []string{}
	for path := "/v1/status/observations?kind=vm&provider=east&limit=2"; ; path = "/v1/status/observations?limit=2&after=" + seen.Next {
		seen.Next = ""
		if code := s.call("GET", path, "", &seen); code != 200 {
			t.Fatalf("%s is answered with %d", path, code)
		}
		for _, o := range seen.Observations {
			ids = append(ids, o.ResourceID)
		}
		if seen.Next == "" {
			break
		}
	}
	if strings.Join(ids, " ") != "v0 v1 v2 v3 v4" {
		t.Errorf("the pages have %q", ids)
	}
	var held struct{ Held []status.Held }
	if code := s.call("GET", "/v1/status/held?limit=3", "", &held); code != 200 || len(held.Held) != 3 {
		t.Errorf("held: %d, %+v", code, held)
	}
	for path, want := range map[string]int{
		"/v1/status/observations/vm/v0": 200, "/v1/status/observations/vm/none": 404, "/v1/status/orphans": 200, "/v1/status/providers": 200,
		"/v1/status/schemas/vm": 200, "/v1/status/schemas/printer": 404, "/v1/status/observations?limit=0": 400, "/v1/status/observations?limit=1001": 400,
		"/v1/status/observations?after=%21": 400, "/v1/status/held?nonsense=1": 400, "/v1/status/quarantine/none": 404,
	} {
		if code := s.call("GET", path, "", nil); code != want {
			t.Errorf("%s is answered with %d, want %d", path, code, want)
		}
	}
	if code := s.call("DELETE", "/v1/status/held/vm/h0", "", nil); code != 204 {
		t.Errorf("dropping what is held is answered with %d", code)
	}
	var list struct{ Messages []status.Quarantined }
	s.call("GET", "/v1/status/quarantine", "", &list)
	if len(list.Messages) != 1 || s.call("DELETE", "/v1/status/quarantine/"+list.Messages[0].ID, "", nil) != 204 {
		t.Errorf("the quarantine: %+v", list)
	}
}

// TestRequestsThatMakeNoSense are refused, by the server rather than by its database.
func TestRequestsThatMakeNoSense(t *testing.T) {
	s := newSite(t).start()
	s.vm("a")
	s.publish(s.say(1, "a", "RUNNING"))
	const provider = "PUT /v1/status/observations/vm/a/provider"
	for _, c := range []struct {
		request, body string
		want          int
		says          string
	}{
		{provider, ``, 400, `must be {\"provider\":\"…\"}: EOF`},
		{provider, `{}`, 400, `{\"provider\":\"…\"}: provider is missing`},
		{provider, `{"provider":7}`, 400, "cannot unmarshal"},
		{provider, `{"provider":"a","force":true}`, 400, "unknown field"},
		{provider, `{"provider":"` + strings.Repeat("x", 300) + `"}`, 400, "more than 256 bytes"},
		{provider, `{"provider":"a\u0000"}`, 400, "control characters"},
		{"PUT /v1/status/observations/vm/a%00/provider", `{"provider":"a"}`, 404, "nothing was observed"},
		{"GET /v1/status/observations/vm/%00", "", 404, "nothing was observed"},
		{"GET /v1/status/observations?kind=%00", "", 400, "kind: has a control character"},
		{"GET /v1/status/observations?provider=%FF", "", 400, "provider: is not valid UTF-8"},
		{"GET /v1/status/observations?after=dm0vAA", "", 400, "after: isn't the next of a page"},
		{"GET /v1/status/observations?differs=perhaps", "", 400, "invalid syntax"},
		{"GET /v1/status/held?kind=%00", "", 400, "kind: has a control character"},
		{"GET /v1/status/orphans?limit=-1", "", 400, "limit"},
		{"DELETE /v1/status/held/vm/%00", "", 404, "nothing is held"},
		{"GET /v1/status/quarantine?reason=%00", "", 400, "reason: has a control character"},
		{"GET /v1/status/quarantine?after=%00", "", 400, "after: isn't the next of a page"},
		{"GET /v1/status/quarantine/%00", "", 404, "not found"},
		{"POST /v1/status/quarantine/%00/replay", "", 404, "not found"},
		{"DELETE /v1/status/quarantine/%FF", "", 404, "not found"},
	} {
		method, path, _ := strings.Cut(c.request, " ")
		w := httptest.NewRecorder()
		s.mux.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(c.body)))
		if w.Code != c.want || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s: %d %s, want %d and %q", c.request, c.body, w.Code, w.Body, c.want, c.says)
		}
	}
}

func TestTheTablesAreBounded(t *testing.T) {
	s := newSite(t)
	s.options.MaxQuarantine, s.options.MaxQuarantineBytes, s.options.MaxHeld = 20, 2000, 10
	s.start()
	var all []bridge.Letter
	for n := range 60 {
		all = append(all, bridge.Letter{Subject: "dcm.vm", Data: []byte(strings.Repeat("x", n*2)), ID: fmt.Sprint(n)}, s.say(n, fmt.Sprint("h", n), "RUNNING"))
	}
	s.publish(all...)
	s.must(s.ingest.CheckNow(t.Context()))
	page, _, err := s.ingest.Quarantine(t.Context(), status.QuarantineQuery{})
	size := int64(0)
	for _, q := range page {
		size += q.Size
	}
	if err != nil || len(page) > 20 || len(page) < 10 || size > 2000 || page[len(page)-1].Size != 118 {
		t.Errorf("the quarantine has %d messages of %d bytes, %v", len(page), size, err)
	}
	held, _, err := s.ingest.Held(t.Context(), status.HeldQuery{})
	if err != nil || len(held) != 10 {
		t.Errorf("%d are held, %v", len(held), err)
	}
}

// TestASequenceAheadOfTimeSaysNothing: a clock that was wrong once doesn't keep all later reports out.
func TestASequenceAheadOfTimeSaysNothing(t *testing.T) {
	s := newSite(t).start()
	s.vm("a")
	say := func(n int, word string, sequence time.Duration) bridge.Letter {
		at := s.clock.now().Add(time.Duration(n) * time.Second)
		return told{id: fmt.Sprint(n), source: "dcm/providers/east", kind: "vm", resource: "a", status: word, at: at, sequence: at.Add(sequence).UnixNano()}.letter()
	}
	const year = 366 * 24 * time.Hour
	s.publish(say(1, "RUNNING", year), say(3, "PAUSED", year), say(2, "RUNNING", year), say(4, "STOPPED", 0))
	if got := s.seen("vm", "a"); got != "STOPPED" || s.ingest.Stats().Applied != 3 || s.ingest.Stats().Stale != 1 {
		t.Errorf("observed is %s, counted %+v", got, s.ingest.Stats())
	}
}

// TestEveryComplaintIsLogged: one of another kind a moment before doesn't swallow it.
func TestEveryComplaintIsLogged(t *testing.T) {
	var log strings.Builder
	s := newSite(t)
	s.log = slog.New(slog.NewTextHandler(&log, nil))
	s.more = []resources.Listener{listeners.Funcs{ListenerName: "no", OnBefore: func(_ context.Context, c resources.Change) error {
		if c.Action == resources.Moved {
			return errors.New("not today")
		}
		return nil
	}}}
	s.start()
	s.vm("a")
	s.publish(s.say(1, "a", "RUNNING"))
	s.publish(bridge.Letter{Subject: "dcm.vm", ID: "r1", Data: []byte("rubbish")})
	s.publish(bridge.Letter{Subject: "dcm.vm", ID: "r2", Data: []byte("rubbish, too")})
	s.stop()
	for says, want := range map[string]int{"not today": 1, "messages of providers were rejected": 1} {
		if got := strings.Count(log.String(), says); got != want {
			t.Errorf("%q is logged %d times, want %d:\n%s", says, got, want, &log)
		}
	}
}

// TestAHugeHeaderIsRejected: what is kept of a message is bounded, wherever its bytes are.
func TestAHugeHeaderIsRejected(t *testing.T) {
	s := newSite(t)
	s.options.MaxQuarantineBytes = 256 << 10
	s.start()
	s.vm("a")
	var all []bridge.Letter
	for n := range 10 {
		l := s.say(n, "a", "RUNNING")
		l.Header["X-Trace"] = []string{strings.Repeat("x", 200<<10)}
		all = append(all, l)
	}
	s.publish(all...)
	s.must(s.ingest.CheckNow(t.Context()))
	if c := s.ingest.Stats(); c.Rejected[status.TooLarge] != 10 || s.seen("vm", "a") != "none" {
		t.Errorf("counted %+v, %s is observed", c, s.seen("vm", "a"))
	}
	page, _, err := s.ingest.Quarantine(t.Context(), status.QuarantineQuery{})
	size := 0
	for _, q := range page {
		for name, values := range q.Header {
			size += len(name) + len(strings.Join(values, ""))
		}
	}
	if err != nil || len(page) == 0 || size > 256<<10 {
		t.Fatalf("%d messages with headers of %d bytes are kept, %v", len(page), size, err)
	}
	var rejected *status.RejectError
	if err := s.ingest.Replay(t.Context(), page[0].ID); !errors.As(err, &rejected) || rejected.Reason != status.TooLarge {
		t.Errorf("a replay: %v", err)
	}
}

func TestADatabaseThatTakesNothingIsWaitedFor(t *testing.T) {
	var down atomic.Int64
	s := newSite(t)
	s.more = []resources.Listener{listeners.Funcs{ListenerName: "down", OnInTx: func(_ context.Context, _ resources.Tx, c resources.Change) error {
		if c.Action == resources.Moved && down.Add(-1) >= 0 {
			return fmt.Errorf("no room: %w", bus.ErrOutage)
		}
		return nil
	}}}
	s.start()
	s.vm("a")
	s.vm("b")
	down.Store(3)
	s.publish(s.say(1, "a", "RUNNING"), s.say(1, "b", "RUNNING"), s.say(2, "a", "PAUSED"), s.say(3, "a", "STOPPED"))
	want := []string{"a vm.state.running", "a vm.state.paused", "a vm.state.stopped"}
	got := slices.DeleteFunc(s.events("vm.state.>"), func(e string) bool { return strings.HasPrefix(e, "b ") })
	if !slices.Equal(got, want) || s.state("vm", "b") != vm.Running || down.Load() >= 0 {
		t.Errorf("moves %q, want %q", got, want)
	}
	if err := s.ingest.Health(t.Context()); err != nil {
		t.Errorf("health afterwards: %v", err)
	}
	// What dies before the acknowledgement comes again, and is known.
	s.memory.CrashBeforeAck()
	before := s.ingest.Stats()
	s.must(s.transport.Publish(t.Context(), s.say(4, "a", "RUNNING")))
	s.until("it is applied", func() bool { return s.ingest.Stats().Applied > before.Applied })
	s.stop()
	s.start()
	s.until("it comes again", func() bool { return s.ingest.Stats().Duplicate == 1 })
	if got := len(s.events("status.vm.observed")); got != 5 {
		t.Errorf("%d observations, want 5", got)
	}
}
