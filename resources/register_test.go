package resources_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

// door is a machine of any kind.
func door(kind string) *fsm.Machine {
	return fsm.MustNew(fsm.Spec{Kind: kind, Initial: fsm.States("shut"), Endless: true, Edges: []fsm.Edge{
		{From: fsm.States("shut"), On: "push", To: "open"},
		{From: fsm.States("open"), On: "push", To: "shut"},
	}})
}

type (
	byPointer struct{ *resources.Object }
	embedsNot struct{ Object resources.Object }
	deeper    struct{ plain }
	plain     struct{ resources.Object }
	twoIDs    struct {
		resources.Object
		Identity string `json:"id"`
	}
	channel struct {
		resources.Object
		C chan int
	}
	misspelt struct {
		resources.Object
		Logins []*struct {
			Password string `json:"password" cloudbus:"secrets"`
		} `json:"logins"`
	}
)

func TestRegisterRefuses(t *testing.T) {
	r := newRig(t, resources.Options{})
	for name, test := range map[string]struct {
		register func() error
		says     string
	}{
		"a pointer to Object": {func() error { _, err := resources.Register[byPointer](r.engine, door("a")); return err }, "by value"},
		"no Object":           {func() error { _, err := resources.Register[embedsNot](r.engine, door("a")); return err }, "does not embed"},
		"Object two deep":     {func() error { _, err := resources.Register[deeper](r.engine, door("a")); return err }, "does not embed"},
		"no struct":           {func() error { _, err := resources.Register[string](r.engine, door("a")); return err }, "not a struct"},
		"no machine":          {func() error { _, err := resources.Register[plain](r.engine, nil); return err }, "needs an engine and a machine"},
		"no engine":           {func() error { _, err := resources.Register[plain](nil, door("a")); return err }, "needs an engine and a machine"},
		"two fields, a name":  {func() error { _, err := resources.Register[twoIDs](r.engine, door("a")); return err }, `"id"`},
		"what JSON can't":     {func() error { _, err := resources.Register[channel](r.engine, door("a")); return err }, "chan int"},
		"a misspelt tag":      {func() error { _, err := resources.Register[misspelt](r.engine, door("a")); return err }, `Password: its tag cloudbus:"secrets"`},
		"a taken name":        {func() error { _, err := resources.Register[plain](r.engine, door("gadget")); return err }, "registered already"},
		"a taken type":        {func() error { _, err := resources.Register[storetest.Gadget](r.engine, door("a")); return err }, `as "gadget"`},
		"a limit for no state": {func() error {
			_, err := resources.Register[plain](r.engine, door("a"), resources.Limit("open", time.Minute))
			return err
		}, "open"},
		"a nil option": {func() error { _, err := resources.Register[plain](r.engine, door("a"), nil); return err }, "option 0"},
		"a listener twice": {func() error {
			_, err := resources.Register[plain](r.engine, door("a"), resources.Listen(listeners.Post()))
			return err
		}, `"post"`},
	} {
		t.Run(name, func(t *testing.T) {
			if err := test.register(); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want one that says %q", err, test.says)
			}
		})
	}
	if kinds := r.engine.Kinds(); !slices.Equal(kinds, []string{"gadget"}) {
		t.Errorf("kinds afterwards: %q", kinds)
	}
	if _, err := resources.Register[plain](r.engine, door("a")); err != nil {
		t.Errorf("a name that was refused before: %v", err)
	}
	for _, name := range []string{"action", "alert", "usage", "status", "bus"} {
		m, err := fsm.New(fsm.Spec{Kind: name, Initial: fsm.States("s"), Endless: true, Edges: []fsm.Edge{{From: fsm.States("s"), On: "t", To: "s"}}})
		if err != nil {
			continue // the machine refused already
		}
		if _, err := resources.Register[plain](r.engine, m); err == nil {
			t.Errorf("a kind called %s was registered", name)
		}
	}
}

func TestLimit(t *testing.T) {
	r := newRig(t, resources.Options{})
	kind, err := resources.Register[plain](r.engine, fsm.MustNew(fsm.Spec{
		Kind: "a", Initial: fsm.States("shut"), Endless: true, Limits: map[fsm.State]time.Duration{"opening": time.Minute},
		Edges: []fsm.Edge{
			{From: fsm.States("shut"), On: "push", To: "opening"},
			{From: fsm.States("opening"), On: fsm.OperationSucceeded, To: "open"},
			{From: fsm.States("opening"), On: fsm.OperationFailed, To: fsm.Origin},
			{From: fsm.States("open"), On: "push", To: "shut"},
		},
	}), resources.Limit("opening", time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if limit, ok := kind.Handle().Machine().Limit("opening"); limit != time.Hour || !ok {
		t.Errorf("the limit is %v", limit)
	}
}

func TestUnknownKind(t *testing.T) {
	r := newRig(t, resources.Options{})
	_, err := r.engine.Kind("vn")
	var unknown *resources.UnknownError
	if !errors.As(err, &unknown) || unknown.Name != "vn" || !slices.Equal(unknown.Known, []string{"gadget"}) {
		t.Errorf("Kind: %v", err)
	}
	if h, err := r.engine.Kind("gadget"); err != nil || h.Name() != "gadget" {
		t.Errorf("Kind: %v, %v", h, err)
	}
}

func TestNewRefuses(t *testing.T) {
	r := newRig(t, resources.Options{})
	type empty struct{ listeners.Funcs }
	other := memstore.New(memstore.Options{})
	for name, test := range map[string]struct {
		options resources.Options
		says    string
	}{
		"no store":         {resources.Options{Bus: r.bus}, "Store"},
		"no bus":           {resources.Options{Store: r.store}, "Bus"},
		"another journal":  {resources.Options{Store: other, Bus: r.bus}, "journal"},
		"a nil listener":   {resources.Options{Store: r.store, Bus: r.bus, Listeners: []resources.Listener{nil}}, "nil"},
		"a nil pointer":    {resources.Options{Store: r.store, Bus: r.bus, Listeners: []resources.Listener{(*recorder)(nil)}}, "*resources_test.recorder"},
		"a listener twice": {resources.Options{Store: r.store, Bus: r.bus, Listeners: []resources.Listener{listeners.Post(), listeners.Post()}}, "post"},
		"no name":          {resources.Options{Store: r.store, Bus: r.bus, Listeners: []resources.Listener{empty{}}}, "empty"},
		"deaf":             {resources.Options{Store: r.store, Bus: r.bus, Listeners: []resources.Listener{deaf{}}}, "listens to nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := resources.New(test.options); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want one that says %q", err, test.says)
			}
		})
	}
}

type deaf struct{}

func (deaf) Name() string { return "deaf" }

func TestInfoFields(t *testing.T) {
	r := newRig(t, resources.Options{})
	var names []string
	for _, f := range r.gadgets.Handle().Info().Fields {
		names = append(names, f.Name)
	}
	want := []string{
		"id", "tenant", "name", "state", "origin", "operation", "version", "state_since", "created_at", "updated_at", "removed_at",
		"label", "grade", "size", "small", "parts", "ratio", "shiny", "due", "peer", "starts",
	}
	if !slices.Equal(names, want) {
		t.Errorf("fields %q, want %q", names, want)
	}
}

func TestEventTypesOfAKindDecode(t *testing.T) {
	r := newRig(t, resources.Options{})
	got := make(chan bus.Event[resources.AnyChanged], 10)
	_, err := bus.Subscribe(r.bus.Client("test"), func(_ context.Context, e bus.Event[resources.AnyChanged]) error {
		got <- e
		return nil
	}, bus.Durable("test"), bus.From(0))
	if err != nil {
		t.Fatal(err)
	}
	g := r.create(t, storetest.Gadget{Label: "x"})
	e := <-got
	changed, ok := e.Payload.(storetest.GadgetChanged)
	if !ok || changed.Resource.Label != "x" || e.Type != "gadget.created" || e.ResourceID != g.ID || e.Schema != 1 {
		t.Errorf("%+v", e)
	}
}
