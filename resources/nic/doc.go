// Package nic is the kind of network interfaces of VMs.
//
// A NIC has its addresses from its reservation to its release, which follow the VM's start and stop.
//
// The machine; "=" stands before what is accepted without effect:
//
//	stateDiagram-v2
//	[*] --> allocated
//	allocated --> reserving: reservation_requested
//	allocated --> deleted: delete_requested
//	allocated --> allocated: = release_requested
//	reserving --> reserved: operation_succeeded
//	reserving --> allocated: operation_failed, cancel_requested (origin)
//	reserving --> reserving: = reservation_requested
//	reserved --> releasing: release_requested
//	reserved --> reserved: = reservation_requested
//	releasing --> allocated: operation_succeeded
//	releasing --> reserved: operation_failed (origin)
//	releasing --> releasing: = release_requested
//	deleted --> deleted: = delete_requested
//	deleted --> [*]
//	classDef transitional stroke-dasharray: 4 3
//	class reserving,releasing transitional
package nic
