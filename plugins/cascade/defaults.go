package cascade

import (
	"github.com/cloudbus-go/cloudbus/fsm"
)

// DefaultRules are the rules of the built-in kinds. They give back what is only held for something that is gone, and destroy no data:
// data volumes of a destroyed VM are detached; its root volume is detached and destroyed once the VM is expunged, and can be recovered
// like any destroyed volume; snapshots and templates outlive what they were made from. New applies those whose kinds are registered.
func DefaultRules() []Rule {
	gone := fsm.States("destroyed", "expunging", "expunged")
	return []Rule{
		{Name: "vm_nics", When: "vm.state.*", While: gone, Find: "nic", By: "vm_id", States: fsm.States("reserved"), Fire: "release_requested"},
		{Name: "vm_data_volumes", When: "vm.state.*", While: gone, Find: "volume", By: "vm_id", States: fsm.States("ready"),
			Unless: map[string]any{"device_id": 0}, Fire: "detach_requested"},
		// What the VM can't be recovered without goes when it can't be recovered any more.
		{Name: "vm_root_volume", When: "vm.state.expunged", Find: "volume", By: "vm_id", States: fsm.States("ready"),
			Where: map[string]any{"device_id": 0}, Fire: "detach_requested", Then: "destroy_requested"},
		{Name: "vm_nics_delete", When: "vm.state.expunged", Find: "nic", By: "vm_id", States: fsm.States("allocated"), Fire: "delete_requested"},
		{Name: "vm_public_ips", When: "vm.state.expunged", Find: "public_ip", By: "vm_id", States: fsm.States("allocated"), Fire: "release_requested"},

		{Name: "network_public_ips", When: "network.state.deleted", Find: "public_ip", By: "network_id", States: fsm.States("allocated"), Fire: "release_requested"},
		{Name: "network_nics", When: "network.state.deleted", Find: "nic", By: "network_id", States: fsm.States("allocated"), Fire: "delete_requested"},

		{Name: "cluster_containers", When: "cluster.state.deleted", Find: "container", By: "cluster_id", Fire: "report_deleted"},

		// A host and its administration come and go together.
		{Name: "host_admin", When: "host.created", Create: "host_admin"},
		{Name: "host_admin_disable", When: "host.state.removed", Find: "host_admin", By: "id", States: fsm.States("enabled", "error"), Fire: "disable_requested"},
		{Name: "host_admin_remove", When: "host.state.removed", Find: "host_admin", By: "id", States: fsm.States("disabled", "maintenance"), Fire: "remove_requested"},
		{Name: "host_remove", When: "host_admin.state.removed", Find: "host", By: "id", Fire: "remove_requested"},
	}
}

// DefaultForbids are the exclusions of the built-in kinds. None of them concerns a fact: how operations end and what is reported is
// never refused.
func DefaultForbids() []Forbid {
	return []Forbid{
		{Name: "network_in_use", Kind: "network", To: fsm.States("shutting_down", "deleted"), On: triggers("shutdown_requested", "delete_requested"),
			While: "nic", By: "network_id", States: fsm.States("reserving", "reserved", "releasing"), Enter: triggers("reservation_requested"),
			Advice: "release them first"},
		{Name: "template_in_use", Kind: "template", To: fsm.States("deleted"), On: triggers("delete_requested"),
			While: "volume", By: "template_id", States: fsm.States("creating"), Enter: triggers("create_requested"), Advice: "wait until they are made"},
		{Name: "snapshot_in_use", Kind: "snapshot", To: fsm.States("destroying", "deleted"), On: triggers("destroy_requested"),
			While: "volume", By: "snapshot_id", States: fsm.States("creating"), Enter: triggers("create_requested"), Advice: "wait until they are made"},
	}
}

func triggers(t ...fsm.Trigger) []fsm.Trigger { return t }
