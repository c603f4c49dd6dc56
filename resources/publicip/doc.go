// Package publicip is the kind of public IP addresses.
//
// An address outlives its users, so the machine is endless: what it was used for is cleared when it is free again, and when an
// allocation fails. Its tenant and its name stay until somebody alters them. An address allocated from reserved is released to
// free: a reservation is used up. A second request to allocate is refused: the address is somebody's.
//
// The machine; "=" stands before what is accepted without effect:
//
//	stateDiagram-v2
//	[*] --> free
//	free --> allocating: allocate_requested
//	free --> reserved: reserve_requested
//	free --> free: = release_requested, unreserve_requested
//	allocating --> allocated: operation_succeeded
//	allocating --> free: operation_failed (origin)
//	allocating --> reserved: operation_failed (origin)
//	allocated --> releasing: release_requested
//	releasing --> free: operation_succeeded
//	releasing --> allocated: operation_failed (origin)
//	releasing --> releasing: = release_requested
//	reserved --> free: unreserve_requested
//	reserved --> allocating: allocate_requested
//	reserved --> reserved: = reserve_requested
//	classDef transitional stroke-dasharray: 4 3
//	class allocating,releasing transitional
package publicip
