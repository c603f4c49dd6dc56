package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
)

// parkedAPI is an API with a durable subscription "mailer" whose handler refuses what comes until it is told otherwise.
type parkedAPI struct {
	*testAPI
	sound   atomic.Bool
	handled atomic.Int64
}

func newParkedAPI(t *testing.T, vms int) *parkedAPI {
	t.Helper()
	a := &parkedAPI{testAPI: newTestAPI(t)}
	_, err := bus.Subscribe(a.bus.Client("mail"), func(context.Context, bus.Event[resources.AnyChanged]) error {
		if !a.sound.Load() {
			return errors.New("no route to the mail server")
		}
		a.handled.Add(1)
		return nil
	}, bus.Durable("mailer"), bus.Retry(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	for i := range vms {
		a.must(201, "POST", "/v1/resources/vm", fmt.Sprintf(`{"id":"vm%d"}`, i+1))
	}
	a.must(200, "PATCH", "/v1/resources/vm/vm1", `{"name":"one"}`)
	if err := a.bus.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *parkedAPI) subjects(query string) (all []string, next any) {
	a.t.Helper()
	got := a.must(200, "GET", "/v1/queues/mailer/parked"+query, "")
	for _, r := range got.json["resources"].([]any) {
		one := r.(map[string]any)
		all = append(all, fmt.Sprint(one["kind"], "/", one["id"], " ", one["events"]))
		if one["error"] != "no route to the mail server" || one["type"] != "vm.created" || one["tries"] != 1.0 || one["parked_at"] == "" {
			a.t.Errorf("parked: %v", one)
		}
	}
	return all, got.json["next"]
}

func TestParkedEventsAreShownReplayedAndDiscarded(t *testing.T) {
	a := newParkedAPI(t, 3)
	queues := a.must(200, "GET", "/v1/queues", "")
	if !strings.Contains(queues.body, `"parked":3`) {
		t.Errorf("queues: %s", queues.body)
	}
	first, next := a.subjects("?limit=2")
	if !slices.Equal(first, []string{"vm/vm1 2", "vm/vm2 1"}) || next != 2.0 {
		t.Errorf("the first page: %v, next %v", first, next)
	}
	if rest, next := a.subjects("?limit=2&after=2"); !slices.Equal(rest, []string{"vm/vm3 1"}) || next != nil {
		t.Errorf("the second page: %v, next %v", rest, next)
	}
	events := a.must(200, "GET", "/v1/queues/mailer/parked/events?kind=vm&id=vm1", "").json["events"].([]any)
	if len(events) != 2 || events[0].(map[string]any)["seq"] != 1.0 || events[1].(map[string]any)["tries"] != 0.0 || events[0].(map[string]any)["data"] == nil {
		t.Errorf("events: %v", events)
	}
	if page := a.must(200, "GET", "/v1/queues/mailer/parked/events?limit=3", "").json; page["next"] != 3.0 || len(page["events"].([]any)) != 3 {
		t.Errorf("a page of events: %v", page)
	}

	if got := a.must(200, "POST", "/v1/queues/mailer/replay", `{}`); got.json["done"] != 0.0 || got.json["left"] != 4.0 || got.json["error"] == nil {
		t.Errorf("a replay that fails: %s", got.body)
	}
	a.sound.Store(true)
	if got := a.must(200, "POST", "/v1/queues/mailer/replay", `{"kind":"vm","id":"vm2"}`); got.body != "{\"done\":1,\"left\":0}\n" {
		t.Errorf("the replay of one: %s", got.body)
	}
	a.sound.Store(false)
	if got := a.must(200, "POST", "/v1/queues/mailer/discard", `{"seqs":[3,99]}`); got.body != "{\"discarded\":1}\n" {
		t.Errorf("discard by number: %s", got.body)
	}
	if got := a.must(200, "POST", "/v1/queues/mailer/discard", `{"kind":"vm","id":"vm1"}`); got.body != "{\"discarded\":2}\n" {
		t.Errorf("discard of a resource: %s", got.body)
	}
	if left, _ := a.subjects(""); len(left) > 0 || a.handled.Load() != 1 {
		t.Errorf("left are %v, handled %d", left, a.handled.Load())
	}
	if got := a.must(200, "POST", "/v1/queues/mailer/replay", `{}`); got.body != "{\"done\":0,\"left\":0}\n" {
		t.Errorf("a replay of nothing: %s", got.body)
	}
}

func TestRequestsAboutParkedEventsThatAreRefused(t *testing.T) {
	a := newParkedAPI(t, 1)
	if err := a.journal.SetCursor(t.Context(), "idle", 1); err != nil { // of a plugin, say, that isn't there any more
		t.Fatal(err)
	}
	a.must(200, "GET", "/v1/queues/idle/parked", "")
	if err := a.journal.Park(t.Context(), "idle", bus.Parking{Seq: 1, Reason: "x", Tries: 1}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		method, path, body string
		status             int
		says, allows       string
	}{
		{"GET", "/v1/queues/mailr/parked", "", 404, `"mailr"`, "mailer"},
		{"GET", "/v1/queues/mailr/parked/events", "", 404, `"mailr"`, "idle"},
		{"POST", "/v1/queues/mailr/replay", `{}`, 404, `"mailr"`, "mailer"},
		{"POST", "/v1/queues/mailr/discard", `{"seqs":[1]}`, 404, `"mailr"`, "mailer"},
		{"GET", "/v1/queues/mailer/parked?limit=0", "", 400, "limit", ""},
		{"GET", "/v1/queues/mailer/parked?after=x", "", 400, "after", ""},
		{"GET", "/v1/queues/mailer/parked?before=1", "", 400, "before", "after"},
		{"GET", "/v1/queues/mailer/parked/events?kind=vm", "", 400, "a kind and an id", "id"},
		{"POST", "/v1/queues/idle/replay", `{}`, 409, "no durable subscription of that name runs here", ""},
		{"POST", "/v1/queues/mailer/replay", `{"kind":"vm"}`, 400, "a kind and an id", "id"},
		{"POST", "/v1/queues/mailer/replay", `{"kind":"vm","id":"vm7"}`, 404, "vm/vm7", ""},
		{"POST", "/v1/queues/mailer/replay", `{"kid":"vm"}`, 400, `"kid"`, "kind"},
		{"POST", "/v1/queues/mailer/replay", ``, 400, "empty", ""},
		{"POST", "/v1/queues/mailer/discard", `{}`, 400, "which events", "seqs"},
		{"POST", "/v1/queues/mailer/discard", `{"seqs":[]}`, 400, "which events", "seqs"},
		{"POST", "/v1/queues/mailer/discard", `{"seqs":[1],"kind":"vm","id":"vm1"}`, 400, "which events", "seqs"},
		{"POST", "/v1/queues/mailer/discard", `{"id":"vm1"}`, 400, "a kind and an id", "kind"},
		{"POST", "/v1/queues/mailer/discard", `{"kind":"vm","id":"vm2"}`, 404, "vm/vm2", ""},
		{"POST", "/v1/queues/mailer/discard", `{"seqs":[0]}`, 400, "0 is no event's number", ""},
		{"POST", "/v1/queues/mailer/discard", `{"seqs":[18446744073709551615]}`, 400, "no event's number", ""},
		{"POST", "/v1/queues/mailer/discard", `{"seqs":[-1]}`, 400, "seqs", ""},
		{"POST", "/v1/queues/mailer/discard", `{"seqs":[` + strings.Repeat("1,", maxDiscard) + `1]}`, 400, "at most 1000", ""},
		{"GET", "/v1/queues/mailer/replay", "", 405, "GET", "POST"},
	} {
		got := a.do(test.method, test.path, test.body)
		said, _ := got.json["error"].(string)
		if got.status != test.status || !strings.Contains(said, test.says) || test.allows != "" && !slices.Contains(got.allowed(), test.allows) {
			t.Errorf("%s %s %s: %d %s; want %d, %q and %q", test.method, test.path, test.body, got.status, got.body, test.status, test.says, test.allows)
		}
	}
	if got := a.must(200, "POST", "/v1/queues/idle/discard", `{"seqs":[1]}`); got.body != "{\"discarded\":1}\n" {
		t.Errorf("discard for a subscription that doesn't run: %s", got.body)
	}
}
