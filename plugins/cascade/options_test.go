package cascade_test

import (
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/cascade"
	"github.com/cloudbus-go/cloudbus/plugins/plugintest"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

func TestWrongOptions(t *testing.T) {
	h := open(t, cascade.Options{})
	rule := func(fields string) string { return `{"rules": [{"name": "r", ` + fields + `}]}` }
	right := `"when": "vm.state.destroyed", "find": "nic", "by": "vm_id", "fire": "release_requested"`
	for _, c := range []struct{ name, config, want string }{
		{"unknown key", `{"rulez": []}`, `key "rulez": is unknown (allowed: depth, disable, extra, forbid, pause, rules, tries)`},
		{"unknown field of a rule", rule(right + `, "fore": 1`), `key "rules[0].fore": is unknown (allowed: by, create, find, fire,`},
		{"no name", `{"extra": [{"when": "vm.created"}]}`, `option extra[0].name "" doesn't match`},
		{"twice", `{"rules": [{"name": "r", ` + right + `}, {"name": "r", ` + right + `}]}`, `option rules.r is there twice`},
		{"unknown kind", rule(`"when": "vn.state.destroyed"`), `option rules.r.when "vn" is no registered kind (allowed: cluster, container,`},
		{"no pattern", rule(`"when": "vm..x"`), `option rules.r.when`},
		{"no change", rule(`"when": "vm.stuck"`), `when "vm.stuck" is the type of no change (allowed: vm.created, vm.updated, vm.removed, vm.state.<state>)`},
		{"unknown state", rule(`"when": "vm.state.destroied"`), `when "destroied" is no state of vm (allowed: stopped,`},
		{"unknown while", rule(`"when": "vm.state.*", "while": ["lost"]`), `while "lost" is no state of vm`},
		{"nobody", rule(`"when": "vm.created", "fire": "x"`), `find doesn't say who is related`},
		{"find and follow", rule(right + `, "follow": "host_id"`), `find doesn't say who is related`},
		{"by alone", rule(`"when": "vm.created", "follow": "host_id", "by": "vm_id", "fire": "ping"`), `by goes with find`},
		{"unknown find", rule(`"when": "vm.created", "find": "nick", "by": "vm_id"`), `find "nick" is no registered kind`},
		{"no relation", rule(`"when": "vm.created", "find": "nic", "by": "mac"`), `by "mac" is no relation of nic to vm (allowed: vm_id, id)`},
		{"relation to another kind", rule(`"when": "vm.created", "find": "nic", "by": "network_id"`), `by "network_id" is no relation of nic to vm`},
		{"no relation to follow", rule(`"when": "vm.created", "follow": "name", "fire": "ping"`), `follow "name" is no relation of vm (allowed: host_id, template_id)`},
		{"no trigger", rule(`"when": "vm.created", "find": "nic", "by": "vm_id", "fire": "drop"`), `fire "drop" is no trigger of nic (allowed: reservation_requested,`},
		{"no then", rule(right + `, "then": "drop"`), `then "drop" is no trigger of nic`},
		{"a state it can't leave", rule(right + `, "states": ["deleted"]`), `states "deleted" is no state in which nic can "release_requested" (allowed: reserved)`},
		{"no states", rule(right + `, "states": []`), `states has none`},
		{"unknown where", rule(right + `, "where": {"wheels": 4}`), `where "wheels" is no field of nic (allowed:`},
		{"wrong where", rule(right + `, "where": {"device_id": "first"}`), `where.device_id wants a int, not "first"`},
		{"where on the relation", rule(right + `, "where": {"vm_id": "web"}`), `option rules.r.where.vm_id is what the rule itself looks for`},
		{"where on the id", rule(right + `, "where": {"id": "web"}`), `option rules.r.where.id is what the rule itself looks for`},
		{"unknown unless", rule(right + `, "unless": {"wheels": 4}`), `unless "wheels" is no field of nic`},
		{"long reason", rule(right + `, "reason": "` + strings.Repeat("x", 257) + `"`), `reason has 257 bytes; at most 256 are allowed`},
		{"create and fire", rule(`"when": "host.created", "create": "host_admin", "fire": "x"`), `create makes a resource`},
		{"unknown rule", `{"disable": ["vm_nicks"]}`, `option disable "vm_nicks" is no rule (allowed: vm_nics, vm_data_volumes,`},
		{"depth", `{"depth": 65}`, `option depth is 65, not in 1 to 64`},
		{"tries", `{"tries": -1}`, `option tries is -1, below 1`},
		{"pause", `{"pause": "soon"}`, `"soon" is no duration`},
		{"forbid", `{"forbid": [{"name": "f", "kind": "vm"}]}`, `option forbid.f.`},
		{"unknown field of forbid", `{"forbid": [{"name": "f", "kin": "vm"}]}`, `key "forbid[0].kin": is unknown`},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.config = c.config
			if err := h.start(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("start: %v\nwant %s", err, c.want)
			}
			h.manager = nil
		})
	}
}

func TestRulesAreData(t *testing.T) {
	h := open(t, cascade.Options{})
	h.config = `{"disable": ["vm_data_volumes"], "forbid": [], "extra": [{"name": "stop_others", "when": "vm.state.error", "find": "nic", "by": "vm_id",
		"where": {"device_id": [0, 1]}, "unless": {"is_default": true}, "fire": "release_requested", "reason": "its VM is broken"}]}`
	h.mustStart()
	h.cloud("web")
	h.fire("vm", "web", vm.StopRequested, vm.OperationSucceeded, vm.DestroyRequested)
	h.settle()
	if s := h.state("volume", "web-data"); s != "ready" {
		t.Errorf("a rule that is disabled was applied: %s", s)
	}
	if s := h.state("nic", "web-nic"); s != "releasing" {
		t.Errorf("a rule that isn't disabled wasn't applied: %s", s)
	}
}

// TestUnlessComparesValues, not how they are written.
func TestUnlessComparesValues(t *testing.T) {
	for _, unless := range []string{`{"size_gib": 1000000}`, `{"size_gib": "01000000"}`, `{"size_gib": [5, 1e6]}`, `{"was_created": "1"}`} {
		t.Run(unless, func(t *testing.T) {
			h := open(t, cascade.Options{})
			h.config = `{"rules": [{"name": "r", "when": "vm.state.destroyed", "find": "volume", "by": "vm_id", "fire": "detach_requested", "unless": ` + unless + `}]}`
			h.mustStart()
			h.make(&vm.VM{Object: object("web")}, &volume.Volume{Object: object("big"), VMID: "web", SizeGiB: 1000000})
			h.fire("volume", "big", volume.CreateRequested, volume.OperationSucceeded)
			h.fire("vm", "web", vm.DestroyRequested)
			h.settle()
			h.want(map[string]fsm.State{"volume/big": volume.Ready})
		})
	}
}

func TestContract(t *testing.T) {
	var h *house
	plugintest.Run(t, func() plugins.Plugin {
		if h == nil || h.t == nil {
			return cascade.New(nil, cascade.Options{})
		}
		return cascade.New(h.engine, cascade.Options{})
	}, plugintest.Database(func(tb testing.TB) *bus.Bus {
		h = open(tb, cascade.Options{})
		return h.bus
	}), plugintest.Feed(func(testing.TB, *bus.Bus) {
		h.cloud("web")
		h.fire("vm", "web", vm.StopRequested, vm.OperationSucceeded, vm.DestroyRequested)
		h.settle()
	}))
}
