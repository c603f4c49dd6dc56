// Package hostadmin is the kind of what operators want of a host: that it takes VMs, that it takes no more, that it is emptied for
// maintenance. It is the second machine of a host, and a resource of its own, with the host's id.
//
// Why and who is cleared when the host is enabled again.
//
// Guard keeps new VMs off a host that isn't enabled, and doesn't let maintenance be reached, or a host be removed, while VMs are there. What
// becomes of those is the embedder's: at host_admin.state.preparing_maintenance it migrates or stops them, then it fires
// operation_succeeded; a VM that comes to its end meanwhile needs nothing. disable_requested alone leaves them where they are.
//
// A host and its administration share the id. The embedder creates both, or leaves the second to plugins/cascade, whose default rules make
// it when a host is created, and have each go with the other. Until it is there the host takes no VMs.
//
// The machine; "=" stands before what is accepted without effect:
//
//	stateDiagram-v2
//	[*] --> enabled
//	enabled --> disabled: disable_requested
//	enabled --> preparing_maintenance: maintenance_requested
//	enabled --> enabled: = enable_requested
//	disabled --> enabled: enable_requested
//	disabled --> preparing_maintenance: maintenance_requested
//	disabled --> removed: remove_requested
//	disabled --> disabled: = disable_requested
//	preparing_maintenance --> maintenance: operation_succeeded
//	preparing_maintenance --> error: operation_failed
//	preparing_maintenance --> enabled: cancel_requested (origin)
//	preparing_maintenance --> disabled: cancel_requested (origin)
//	preparing_maintenance --> error: cancel_requested (origin)
//	preparing_maintenance --> preparing_maintenance: = maintenance_requested
//	maintenance --> enabled: cancel_requested
//	maintenance --> removed: remove_requested
//	maintenance --> maintenance: = maintenance_requested
//	error --> preparing_maintenance: maintenance_requested
//	error --> enabled: cancel_requested
//	error --> disabled: disable_requested
//	removed --> removed: = remove_requested
//	removed --> [*]
//	classDef transitional stroke-dasharray: 4 3
//	class preparing_maintenance transitional
package hostadmin
