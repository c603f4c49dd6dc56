package storetest

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
)

func testRowAndEvent(t *testing.T, open Open) {
	r := newRig(t, open)
	g := r.create(t, Gadget{Object: resources.Object{Tenant: "acme"}, Password: "secret"})
	request := bus.ContextWithCorrelation(t.Context(), "request-1")
	changed := must[GadgetChanged](t)(r.gadgets.Fire(request, g.ID, StartRequested, resources.Actor("user:1"),
		r.gadgets.Set(func(g *Gadget) error { g.Label = "set"; return nil }),
		resources.With(func(tx resources.Tx) error { _, err := tx.Append(note{"with"}); return err })))
	records := r.records(t)
	if len(records) != 3 {
		t.Fatalf("%d events, want created, started, note", len(records))
	}
	started, with := records[1], records[2]
	if started.ID != changed.ID || started.Type != "gadget.state.starting" || started.Version != 2 || started.Actor != "user:1" ||
		started.Tenant != "acme" || started.Kind != "gadget" || started.ResourceID != g.ID || !started.Time.Equal(changed.Time) {
		t.Errorf("the event's header is %+v, the change %+v", started.Header, changed.Change)
	}
	if started.CorrelationID != "request-1" || with.CorrelationID != "request-1" {
		t.Errorf("correlations %q and %q, want the context's", started.CorrelationID, with.CorrelationID)
	}
	if created := records[0]; created.CorrelationID != created.ID.String() {
		t.Errorf("correlation %q of what nobody caused, want its own id %s", created.CorrelationID, created.ID)
	}
	if with.Type != "note.taken" || with.Actor != "user:1" || !with.Time.Equal(changed.Time) || with.Version != 0 {
		t.Errorf("the note's header is %+v", with.Header)
	}
	var stored GadgetChanged
	if err := json.Unmarshal(started.Data, &stored); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(stored, changed) {
		t.Errorf("the stored event is\n%+v, Fire returned\n%+v", stored, changed)
	}
	row := must[*Gadget](t)(r.gadgets.Get(t.Context(), g.ID))
	if row.Password != "secret" {
		t.Errorf("the row's password is %q", row.Password)
	}
	row.Password = ""
	if !reflect.DeepEqual(*row, stored.Resource) {
		t.Errorf("the row is\n%+v, the event's snapshot\n%+v", *row, stored.Resource)
	}
}

func testNeither(t *testing.T, open Open) {
	r := newRig(t, open)
	g := r.create(t, Gadget{})
	own := errors.New("own rows failed")
	fire := func(opts ...resources.Option) error {
		_, err := r.gadgets.Fire(t.Context(), g.ID, StartRequested, opts...)
		return err
	}
	for name, test := range map[string]struct {
		call func() error
		want error
	}{
		"veto":        {func() error { return fire(resources.Reason("veto")) }, errVeto},
		"panic":       {func() error { return fire(resources.Reason("panic")) }, errVeto},
		"With fails":  {func() error { return fire(resources.With(func(resources.Tx) error { return own })) }, own},
		"With panics": {func() error { return fire(resources.With(func(resources.Tx) error { panic(own) })) }, own},
		"Set fails":   {func() error { return fire(resources.Set(func(any) error { return own })) }, own},
		"bad append": {func() error {
			return fire(resources.With(func(tx resources.Tx) error { _, err := tx.Append(nameless{}); return err }))
		}, nil},
		"creation vetoed": {func() error { _, err := r.gadgets.Create(t.Context(), Gadget{}, resources.Reason("veto")); return err }, errVeto},
		"update vetoed": {func() error {
			set := func(g *Gadget) error { g.Label = "x"; return nil }
			_, err := r.gadgets.Update(t.Context(), g.ID, set, resources.Reason("veto"))
			return err
		}, errVeto},
		"member panics": {func() error {
			return r.store.Do(t.Context(), func(tx resources.StoreTx) error {
				if _, err := tx.Append(note{}); err != nil {
					return err
				}
				panic("in a member")
			})
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.call()
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
			if got := must[*Gadget](t)(r.gadgets.Get(t.Context(), g.ID)); !reflect.DeepEqual(got, g) {
				t.Errorf("the row is %+v", got)
			}
			if page := must[resources.Page[Gadget]](t)(r.gadgets.List(t.Context(), resources.Query{})); len(page.Items) != 1 {
				t.Errorf("%d rows, want 1", len(page.Items))
			}
			if n := len(r.records(t)); n != 1 {
				t.Errorf("%d events, want 1", n)
			}
		})
	}
	must[GadgetChanged](t)(r.gadgets.Fire(t.Context(), g.ID, StartRequested))
	if n := len(r.records(t)); n != 2 {
		t.Errorf("%d events after a Fire that nobody stopped, want 2", n)
	}
}

// nameless has no type, which no event may have.
type nameless struct{}

func (nameless) EventType() string { return "" }

func testNeighbours(t *testing.T, open Open) {
	r := newRig(t, open)
	const callers, rounds = 8, 20
	ids := make([]string, callers)
	for i := range ids {
		ids[i] = r.create(t, Gadget{}).ID
	}
	// Every other caller is vetoed, or panics, each time.
	concurrently(callers, func(i int) {
		for n := range rounds {
			reason := ""
			if i%2 == 1 {
				reason = []string{"veto", "panic"}[n%2]
			}
			_, err := r.gadgets.Fire(t.Context(), ids[i], Ticked, resources.Reason(reason))
			if (err != nil) != (reason != "") {
				t.Errorf("caller %d, reason %q: %v", i, reason, err)
			}
		}
	})
	for i, id := range ids {
		want := uint64(1)
		if i%2 == 0 {
			want += rounds
		}
		if g := must[*Gadget](t)(r.gadgets.Get(t.Context(), id)); g.Version != want {
			t.Errorf("caller %d: version %d, want %d", i, g.Version, want)
		}
	}
	if n := len(r.records(t)); n != callers+callers/2*rounds {
		t.Errorf("%d events, want %d", n, callers+callers/2*rounds)
	}
}

var _ bus.Payload = note{}
