// Package network is the kind of networks: isolated ones, which are implemented when first needed and shut down when nobody
// uses them, and shared ones, which are usable as they are.
//
// The machine; "=" stands before what is accepted without effect:
//
//	stateDiagram-v2
//	[*] --> allocated
//	[*] --> setup
//	allocated --> implementing: implement_requested
//	allocated --> deleted: delete_requested
//	allocated --> allocated: = shutdown_requested
//	setup --> deleted: delete_requested
//	implementing --> implemented: operation_succeeded
//	implementing --> shutting_down: operation_failed
//	implementing --> implementing: = implement_requested
//	implemented --> shutting_down: shutdown_requested
//	implemented --> implemented: = implement_requested
//	shutting_down --> allocated: operation_succeeded
//	shutting_down --> shutting_down: operation_failed
//	shutting_down --> shutting_down: = shutdown_requested
//	deleted --> deleted: = delete_requested
//	deleted --> [*]
//	classDef transitional stroke-dasharray: 4 3
//	class implementing,shutting_down transitional
package network
