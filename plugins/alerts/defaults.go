package alerts

import (
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// DefaultRules returns the rules of a server that says nothing about them. Those about kinds that it doesn't have, and capacity without Options.Engine, are left out then.
func DefaultRules() []Rule {
	busy := states("starting", "running", "pausing", "paused", "resuming", "stopping", "migrating")
	stored := states("creating", "ready", "resizing", "snapshotting", "reverting", "migrating", "attaching", "detaching")
	up := states("up")
	return []Rule{
		{Name: StuckRule, Type: StuckRule},
		{Name: FailureRateRule, Type: FailureRateRule},
		{Name: UnclaimedRule, Type: UnclaimedRule},
		{Name: ParkedRule, Type: ParkedRule},
		{Name: FlappingRule, Type: FlappingRule, Above: 10},
		{Name: "cpu_capacity", Type: CapacityRule, Used: &Sum{Kind: "vm", Field: "cpus", States: busy}, Total: &Sum{Kind: "host", Field: "cpus", States: up}},
		{Name: "memory_capacity", Type: CapacityRule, Used: &Sum{Kind: "vm", Field: "memory_mib", States: busy}, Total: &Sum{Kind: "host", Field: "memory_mib", States: up}},
		{Name: "storage_capacity", Type: CapacityRule, Used: &Sum{Kind: "volume", Field: "size_gib", States: stored}, Total: &Sum{Kind: "host", Field: "storage_gib", States: up}},
		{Name: "public_ip_capacity", Type: CapacityRule, Used: &Sum{Kind: "public_ip", States: states("allocating", "allocated", "releasing", "reserved")}, Total: &Sum{Kind: "public_ip"}},
		{Name: HostDownRule, Type: HostDownRule},
		{
			Name: ZombieRule, Type: ZombieRule, Kinds: []string{"vm"}, States: states("destroyed", "expunged"),
			Triggers: []fsm.Trigger{"report_running", "report_paused"},
		},
		{Name: DisagreementRule, Type: DisagreementRule},
		{Name: OrphanRule, Type: OrphanRule},
		{Name: "wrong_provider", Type: EventRule, Events: []string{"status.*.wrong_provider"}, Window: plugins.Duration(time.Hour)},
	}
}

func states(names ...fsm.State) []fsm.State { return names }

// defaultRules are those of DefaultRules that the server has the kinds for.
func (w *world) defaultRules(engine bool) []Rule {
	return slices.DeleteFunc(DefaultRules(), func(r Rule) bool {
		switch r.Type {
		case CapacityRule:
			return !engine || !w.hasField(r.Used) || !w.hasField(r.Total)
		case HostDownRule:
			return !engine || !w.has("host")
		case ZombieRule:
			return !w.has("vm")
		}
		return false
	})
}

func (w *world) has(name string) bool {
	_, ok := w.kinds[name]
	return ok
}

func (w *world) hasField(s *Sum) bool {
	k := w.kinds[s.Kind]
	if k.info == nil {
		return false
	}
	_, ok := k.info.Field(s.Field)
	return ok || s.Field == ""
}
