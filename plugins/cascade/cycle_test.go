package cascade_test

import (
	"context"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins/cascade"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Lamps hang on one another: lamp and mirror are two kinds of the same shape, each of which may name one of the other.
type (
	lamp struct {
		resources.Object
		Mirror string `json:"mirror" cloudbus:"ref=mirror" gorm:"column:mirror;type:text;not null"`
	}
	mirror struct {
		resources.Object
		Lamp string `json:"lamp" cloudbus:"ref=lamp" gorm:"column:lamp;type:text;not null"`
	}
)

func (lamp) TableName() string    { return "lamps" }
func (mirror) TableName() string  { return "mirrors" }
func (*lamp) Migrations() fs.FS   { return table("lamps", "mirror") }
func (*mirror) Migrations() fs.FS { return table("mirrors", "lamp") }
func table(name, relation string) fs.FS {
	return fstest.MapFS{"00001_" + name + ".sql": {Data: []byte("-- +goose Up\nCREATE TABLE " + name + ` (
		id TEXT NOT NULL PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, origin TEXT NOT NULL, operation TEXT NOT NULL,
		version BIGINT NOT NULL, state_since BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, removed_at BIGINT NOT NULL,
		` + relation + " TEXT NOT NULL);\n")}}
}

// blinking machines go round for ever, one of them by way of an operation.
func blinking(kind string) *fsm.Machine {
	return fsm.MustNew(fsm.Spec{Kind: kind, Initial: fsm.States("off"), Endless: true, Edges: []fsm.Edge{
		{From: fsm.States("off"), On: "push", To: "on"},
		{From: fsm.States("on"), On: "push", To: "off"},
	}})
}

func blink(t *testing.T, rules []cascade.Rule, o cascade.Options) *house {
	h := open(t, o)
	_, err := resources.Register[lamp](h.engine, blinking("lamp"))
	_, err2 := resources.Register[mirror](h.engine, blinking("mirror"))
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	h.options.Rules = rules
	h.mustStart()
	h.make(&lamp{Object: object("l")}, &mirror{Object: object("m"), Lamp: "l"})
	if _, err := h.kind("lamp").Update(t.Context(), "l", func(obj any) error { obj.(*lamp).Mirror = "m"; return nil }); err != nil {
		t.Fatal(err)
	}
	return h
}

// TestCyclesEnd: each rule alone would go on for ever.
func TestCyclesEnd(t *testing.T) {
	h := blink(t, []cascade.Rule{
		{Name: "to_mirror", When: "lamp.state.*", Find: "mirror", By: "lamp", Fire: "push"},
		{Name: "to_lamp", When: "mirror.state.*", Find: "lamp", By: "mirror", Fire: "push"},
	}, cascade.Options{})
	h.fire("lamp", "l", "push")
	h.settle()
	// lamp (by us), mirror (to_mirror), lamp (to_lamp), and the mirror for the second time is left out.
	if moves := h.moves(); moves != "lamp on, mirror on, lamp off" {
		t.Errorf("moves: %s", moves)
	}
	if got := h.count("looped"); got != "1" {
		t.Errorf("looped counts %s, want 1", got)
	}
	// Another push is another chain.
	h.fire("lamp", "l", "push")
	h.settle()
	if moves := h.moves(); moves != "lamp on, mirror on, lamp off, lamp on, mirror off, lamp off" {
		t.Errorf("moves: %s", moves)
	}
}

// TestCyclesEndThroughOthers: somebody else's handler is a part of the circle, and fires with the event's context.
func TestCyclesEndThroughOthers(t *testing.T) {
	h := blink(t, []cascade.Rule{{Name: "to_mirror", When: "lamp.state.*", Find: "mirror", By: "lamp", Fire: "push"}}, cascade.Options{})
	_, err := bus.Subscribe(h.bus.Client("driver"), func(ctx context.Context, e bus.Event[resources.AnyChanged]) error {
		_, err := h.kind("lamp").Fire(ctx, "l", "push")
		return err
	}, bus.Durable("driver"), bus.Type("mirror.state.*"))
	if err != nil {
		t.Fatal(err)
	}
	h.fire("lamp", "l", "push")
	h.settle()
	if moves := h.moves(); moves != "lamp on, mirror on, lamp off" {
		t.Errorf("moves: %s", moves)
	}
}

// TestDepth: a chain that never meets itself ends too.
func TestDepth(t *testing.T) {
	h := open(t, cascade.Options{Depth: 3})
	if _, err := resources.Register[chainLink](h.engine, blinking("chain_link")); err != nil {
		t.Fatal(err)
	}
	h.options.Rules = []cascade.Rule{{Name: "next", When: "chain_link.state.on", Find: "chain_link", By: "before", States: fsm.States("off"), Fire: "push"}}
	h.mustStart()
	before := ""
	for _, id := range strings.Fields("a b c d e f") {
		h.make(&chainLink{Object: object(id), Before: before})
		before = id
	}
	h.settle() // else one may be seen to arrive when the one before it is on already, and a chain begins there
	h.fire("chain_link", "a", "push")
	h.settle()
	h.want(map[string]fsm.State{"chain_link/d": "on", "chain_link/e": "off"})
}

type chainLink struct {
	resources.Object
	Before string `json:"before" cloudbus:"ref=chain_link" gorm:"column:before;type:text;not null"`
}

func (chainLink) TableName() string  { return "chain_links" }
func (*chainLink) Migrations() fs.FS { return table("chain_links", "before") }

// moves lists what was moved, in order.
func (h *house) moves() string {
	h.t.Helper()
	records, err := h.store.Journal().Read(h.t.Context(), 0, 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	var all []string
	for _, r := range records {
		if kind, state, ok := strings.Cut(r.Type, ".state."); ok {
			all = append(all, kind+" "+state)
		}
	}
	return strings.Join(all, ", ")
}
