package resources_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

func TestIDs(t *testing.T) {
	r := newRig(t, resources.Options{})
	g := r.create(t, storetest.Gadget{})
	if _, err := bus.ParseID(g.ID); err != nil {
		t.Errorf("the default id %q: %v", g.ID, err)
	}
	for _, id := range []string{"vm-1", "i-0abc", "a.b:c@d+e=f,~_", "größe", "日本", strings.Repeat("x", 255), "..."} {
		if made, err := r.gadgets.Create(ctx, storetest.Gadget{Object: resources.Object{ID: id}}); err != nil || made.ID != id {
			t.Errorf("id %q: %v", id, err)
		}
	}
	for _, id := range []string{
		" ", "a b", "a/b", "a*", "a>", "a?", "a#", "a%20", `a\b`, `"`, "a\tb", "a\n", "\x00", "a\u00a0b", "a\u200b", "\xff", ".", "..", strings.Repeat("x", 256),
	} {
		_, err := r.gadgets.Create(ctx, storetest.Gadget{Object: resources.Object{ID: id}})
		var invalid *resources.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != "ID" || !strings.Contains(err.Error(), "1 to 255 bytes") {
			t.Errorf("id %q: %v, want an InvalidError that says what is allowed", id, err)
		}
	}
}

func TestBadInput(t *testing.T) {
	r := newRig(t, resources.Options{})
	g := r.create(t, storetest.Gadget{})
	create := func(g storetest.Gadget, opts ...resources.Option) error {
		_, err := r.gadgets.Create(ctx, g, opts...)
		return err
	}
	fire := func(opts ...resources.Option) error {
		_, err := r.gadgets.Fire(ctx, g.ID, "start_requested", opts...)
		return err
	}
	update := func(set func(*storetest.Gadget) error, opts ...resources.Option) error {
		_, err := r.gadgets.Update(ctx, g.ID, set, opts...)
		return err
	}
	relabel := func(g *storetest.Gadget) error { g.Label = "new"; return nil }
	for name, test := range map[string]struct {
		err   error
		field string
		says  string
	}{
		"tenant too long":           {create(storetest.Gadget{Object: resources.Object{Tenant: strings.Repeat("t", 256)}}), "Tenant", "255"},
		"tenant not UTF-8":          {create(storetest.Gadget{Object: resources.Object{Tenant: "\xff"}}), "Tenant", "UTF-8"},
		"tenant of no character":    {create(storetest.Gadget{Object: resources.Object{Tenant: "a\ufffe"}}), "Tenant", "U+FFFE"},
		"actor of no character":     {fire(resources.Actor("\U0010ffff")), "actor", "U+10FFFF"},
		"reason of no character":    {fire(resources.Reason("\ufdd0")), "reason", "U+FDD0"},
		"name with a control":       {create(storetest.Gadget{Object: resources.Object{Name: "a\x07"}}), "Name", "control"},
		"name set to a control":     {fire(r.gadgets.Set(func(g *storetest.Gadget) error { g.Name = "\n"; return nil })), "Name", "control"},
		"no initial state":          {create(storetest.Gadget{Object: resources.Object{State: "on"}}), "State", "allowed: off"},
		"the kind says no":          {create(storetest.Gadget{Size: -1}), "", "size is negative"},
		"the kind says no to Set":   {fire(r.gadgets.Set(func(g *storetest.Gadget) error { g.Size = -1; return nil })), "", "size is negative"},
		"the kind says no, Update":  {update(func(g *storetest.Gadget) error { g.Size = -1; return nil }), "", "size is negative"},
		"actor too long":            {fire(resources.Actor(strings.Repeat("a", 256))), "actor", "255"},
		"actor with a control":      {fire(resources.Actor("a\r\nb")), "actor", "control"},
		"reason too long":           {fire(resources.Reason(strings.Repeat("a", 1025))), "reason", "1024"},
		"zero time":                 {fire(resources.At(time.Time{})), "at", "zero"},
		"before 1970":               {fire(resources.At(time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC))), "at", "1970"},
		"year 1":                    {create(storetest.Gadget{}, resources.At(time.Time{}.Add(1))), "at", "1970"},
		"far ahead":                 {fire(resources.At(r.clock.read().Add(25 * time.Hour))), "at", "ahead"},
		"year 10000":                {create(storetest.Gadget{}, resources.At(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))), "at", "ahead"},
		"zero operation":            {fire(resources.Operation(bus.ID{})), "operation", "zero"},
		"Operation for Create":      {create(storetest.Gadget{}, resources.Operation(bus.NewID(time.Now()))), "Operation", "Fire only"},
		"Set for Create":            {create(storetest.Gadget{}, r.gadgets.Set(relabel)), "Set", "Fire only"},
		"Set for Update":            {update(relabel, r.gadgets.Set(relabel)), "Set", "Fire only"},
		"nil Set":                   {fire(resources.Set(nil)), "Set", "nil"},
		"nil typed Set":             {fire(r.gadgets.Set(nil)), "Set", "nil"},
		"nil With":                  {fire(resources.With(nil)), "With", "nil"},
		"nil option":                {fire(nil), "options", "nil"},
		"nil Update":                {update(nil), "set", "nil"},
		"nil object":                {second(r.gadgets.Handle().Create(ctx, nil)), "", "*storetest.Gadget"},
		"an object of another kind": {second(r.gadgets.Handle().Create(ctx, &plain{})), "", "*storetest.Gadget"},
		"a nil pointer":             {second(r.gadgets.Handle().Create(ctx, (*storetest.Gadget)(nil))), "", "*storetest.Gadget"},
	} {
		t.Run(name, func(t *testing.T) {
			var invalid *resources.InvalidError
			if !errors.As(test.err, &invalid) || invalid.Field != test.field || !strings.Contains(test.err.Error(), test.says) {
				t.Errorf("error %v, want an InvalidError of field %q that says %q", test.err, test.field, test.says)
			}
		})
	}
	if n := len(r.records(t)); n != 1 || r.get(t, g.ID).Version != 1 {
		t.Errorf("%d events, version %d", n, r.get(t, g.ID).Version)
	}
	if err := fire(resources.At(r.clock.read().Add(23 * time.Hour))); err != nil {
		t.Errorf("a little ahead: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestRefusalsTeach(t *testing.T) {
	r := newRig(t, resources.Options{})
	g := r.create(t, storetest.Gadget{})
	for name, test := range map[string]struct {
		on   trigger
		as   any
		says []string
	}{
		"not allowed":      {fsm.OperationSucceeded, new(*fsm.TransitionError), []string{"gadget/" + g.ID, "operation_succeeded", `"off"`, "start_requested"}},
		"no guard held":    {storetest.WakeRequested, new(*fsm.TransitionError), []string{"gadget/" + g.ID, "has_run"}},
		"no trigger":       {"fly", new(*fsm.UnknownError), []string{"fly", "start_requested"}},
		"an empty trigger": {"", new(*fsm.UnknownError), []string{"start_requested"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := r.gadgets.Fire(ctx, g.ID, test.on)
			if err == nil || !errors.As(err, test.as) {
				t.Fatalf("error %v (%T), want a %T", err, err, test.as)
			}
			for _, says := range test.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("error %q doesn't say %q", err, says)
				}
			}
		})
	}
	allowed, err := r.gadgets.Allowed(ctx, g.ID)
	if want := "start_requested stop_requested ticked scrap_requested"; err != nil || join(allowed) != want {
		t.Errorf("Allowed: %q, %v, want %q", join(allowed), err, want)
	}
	if _, err := r.gadgets.Allowed(ctx, "nobody"); !errors.Is(err, resources.ErrNotFound) {
		t.Errorf("Allowed of nobody: %v", err)
	}
}

func join(on []trigger) string {
	var names []string
	for _, t := range on {
		names = append(names, string(t))
	}
	return strings.Join(names, " ")
}

func TestBadQueries(t *testing.T) {
	r := newRig(t, resources.Options{})
	where := func(field string, value any) resources.Query {
		return resources.Query{Where: map[string]any{field: value}}
	}
	for name, test := range map[string]struct {
		query resources.Query
		as    any
		says  string
	}{
		"field":             {where("colour", "red"), new(*resources.UnknownError), "label"},
		"secret":            {where("password", "x"), new(*resources.UnknownError), "password"},
		"list column":       {where("tags", "x"), new(*resources.UnknownError), "tags"},
		"state":             {resources.Query{States: fsm.States("sleeping")}, new(*resources.UnknownError), "scrapping"},
		"state as a field":  {where("state", "sleeping"), new(*resources.UnknownError), "scrapping"},
		"text for an int":   {where("size", "big"), new(*resources.InvalidError), `"big"`},
		"origin":            {where("origin", "sleeping"), new(*resources.UnknownError), "scrapping"},
		"half for an int":   {where("size", 0.5), new(*resources.InvalidError), "int64, not 0.5"},
		"time out of range": {where("due", "9999-01-01T00:00:00Z"), new(*resources.InvalidError), "2261"},
		"too big":           {where("small", int64(1)<<40), new(*resources.InvalidError), "int32"},
		"negative unsigned": {where("parts", -1), new(*resources.InvalidError), "uint32"},
		"int for a text":    {where("label", 7), new(*resources.InvalidError), "string"},
		"text for a bool":   {where("shiny", "maybe"), new(*resources.InvalidError), "bool"},
		"int for a bool":    {where("shiny", 1), new(*resources.InvalidError), "bool"},
		"text for a time":   {where("due", "tomorrow"), new(*resources.InvalidError), "time.Time"},
		"text for an id":    {where("peer", "7"), new(*resources.InvalidError), "bus.ID"},
		"nil":               {where("label", nil), new(*resources.InvalidError), "nil"},
		"one of several":    {where("size", []any{1, "x"}), new(*resources.InvalidError), `"x"`},
		"a map":             {where("label", map[string]int{}), new(*resources.InvalidError), "map"},
		"many values":       {where("label", make([]string, 1001)), new(*resources.InvalidError), "at most 1000"},
		"many states":       {resources.Query{States: make([]fsm.State, 1001)}, new(*resources.InvalidError), "at most 1000"},
		"limit below 0":     {resources.Query{Limit: -1}, new(*resources.InvalidError), "1000"},
		"limit too high":    {resources.Query{Limit: 1001}, new(*resources.InvalidError), "1000"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := r.gadgets.List(ctx, test.query)
			if err == nil || !errors.As(err, test.as) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want a %T that says %q", err, test.as, test.says)
			}
		})
	}
}
