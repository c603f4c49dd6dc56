package resources_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

type (
	refToNothing struct {
		resources.Object
		A string `json:"a" cloudbus:"ref="`
	}
	refToNoKind struct {
		resources.Object
		A string `json:"a" cloudbus:"ref=Gadget"`
	}
	refByNumber struct {
		resources.Object
		A int `json:"a" cloudbus:"ref=gadget"`
	}
	refInside struct {
		resources.Object
		In struct {
			A string `json:"a" cloudbus:"ref=gadget"`
		} `json:"in"`
	}
	refInList struct {
		resources.Object
		List []struct {
			A string `json:"a" cloudbus:"ref=gadget"`
		} `json:"list"`
	}
	refHidden struct {
		resources.Object
		A string `json:"-" cloudbus:"ref=gadget"`
	}
	refSecret struct {
		resources.Object
		A string `json:"a" cloudbus:"secret,ref=gadget"`
	}
	named  string
	common struct {
		Owner named `json:"owner" cloudbus:"ref=gadget"`
	}
	refEmbedded struct {
		resources.Object
		common
		Home string `json:"home" cloudbus:"ref=house"`
	}
)

func TestRegisterRefusesRelationsThatCantBe(t *testing.T) {
	r := newRig(t, resources.Options{})
	for name, test := range map[string]struct {
		register func() error
		says     string
	}{
		"to nothing":        {func() error { _, err := resources.Register[refToNothing](r.engine, door("a")); return err }, "names no kind"},
		"to no kind's name": {func() error { _, err := resources.Register[refToNoKind](r.engine, door("a")); return err }, `cloudbus:"ref=Gadget" names no kind`},
		"by a number":       {func() error { _, err := resources.Register[refByNumber](r.engine, door("a")); return err }, "this is a int"},
		"inside a struct":   {func() error { _, err := resources.Register[refInside](r.engine, door("a")); return err }, "no column"},
		"inside a list":     {func() error { _, err := resources.Register[refInList](r.engine, door("a")); return err }, "no column"},
		"that JSON hides":   {func() error { _, err := resources.Register[refHidden](r.engine, door("a")); return err }, "nobody could list by it"},
		"two tags":          {func() error { _, err := resources.Register[refSecret](r.engine, door("a")); return err }, `allowed: "secret", "ref=<kind>"`},
	} {
		t.Run(name, func(t *testing.T) {
			var invalid *resources.InvalidError
			if err := test.register(); !errors.As(err, &invalid) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want an InvalidError that says %q", err, test.says)
			}
		})
	}
	k, err := resources.Register[refEmbedded](r.engine, door("a"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, rel := range k.Handle().Info().Relations {
		got = append(got, rel.Field+" "+rel.Kind)
	}
	if strings.Join(got, ", ") != "owner gadget, home house" {
		t.Errorf("relations %q", got)
	}
	// There is no kind house, so nobody can say whether a house is there.
	if _, err := k.Create(ctx, refEmbedded{Home: "h1"}); err != nil {
		t.Errorf("a relation to a kind that isn't registered: %v", err)
	}
	if _, err := k.Create(ctx, refEmbedded{common: common{Owner: "nobody"}}); err == nil || !strings.Contains(err.Error(), `owner: there is no gadget "nobody" (create it first, or leave owner empty)`) {
		t.Errorf("a relation of an embedded struct, of a named type: %v", err)
	}
}

func TestRelationErrorTeaches(t *testing.T) {
	e := resources.RelationError{Kind: "nic", ID: "7", Field: "network_id", TargetKind: "network", TargetID: "n1", State: "deleted"}
	const want = `resources: nic/7: network_id: network/n1 is "deleted", which is final (name one that isn't, or leave network_id empty)`
	if e.Error() != want {
		t.Errorf("%s\nwant\n%s", e.Error(), want)
	}
}

// TestListenersSeeReferences: what a change names, and whether that is new.
func TestListenersSeeReferences(t *testing.T) {
	var seen []resources.Reference
	watch := listeners.Funcs{
		ListenerName: "watch",
		OnInTx: func(_ context.Context, _ resources.Tx, c resources.Change) error {
			if c.Kind == "part" {
				seen = c.References()
			}
			return nil
		},
	}
	r := newRig(t, resources.Options{Listeners: []resources.Listener{watch}})
	parts, err := resources.Register[storetest.Part](r.engine, storetest.PartMachine)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"g1", "g2"} {
		if _, err := r.gadgets.Create(ctx, storetest.Gadget{Object: resources.Object{ID: id}}); err != nil {
			t.Fatal(err)
		}
	}
	ref := func(id string, isNew bool) []resources.Reference {
		return []resources.Reference{{Field: "gadget_id", Kind: "gadget", ID: id, New: isNew}}
	}
	set := func(id string) func(*storetest.Part) error {
		return func(p *storetest.Part) error { p.GadgetID = id; return nil }
	}
	for _, step := range []struct {
		name string
		do   func() error
		want []resources.Reference
	}{
		{"created with one", func() error {
			_, err := parts.Create(ctx, storetest.Part{Object: resources.Object{ID: "p"}, GadgetID: "g1"})
			return err
		}, ref("g1", true)},
		{"moved", func() error { _, err := parts.Fire(ctx, "p", storetest.FitRequested); return err }, ref("g1", false)},
		{"moved, and set", func() error {
			_, err := parts.Fire(ctx, "p", storetest.UnfitRequested, parts.Set(set("g2")))
			return err
		}, ref("g2", true)},
		{"renamed", func() error {
			_, err := parts.Update(ctx, "p", func(p *storetest.Part) error { p.Name = "n"; return nil })
			return err
		}, ref("g2", false)},
		{"taken away", func() error { _, err := parts.Update(ctx, "p", set("")); return err }, []resources.Reference{}},
		{"given back", func() error { _, err := parts.Update(ctx, "p", set("g1")); return err }, ref("g1", true)},
		{"ended", func() error { _, err := parts.Fire(ctx, "p", storetest.Broke); return err }, ref("g1", false)},
		{"purged", func() error { _, err := parts.Purge(ctx, 0); return err }, nil},
	} {
		seen = nil
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if !reflect.DeepEqual(seen, step.want) {
			t.Errorf("%s: references %+v, want %+v", step.name, seen, step.want)
		}
	}
	if refs := (resources.Change{}).References(); refs != nil {
		t.Errorf("references of no change: %+v", refs)
	}
}
