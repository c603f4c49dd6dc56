// Package snapshot is the kind of snapshots of volumes: taken where the volume lies, and backed up from there.
//
// Storage that takes a snapshot straight to the backup store skips the middle: operation_skipped.
//
// The machine; "=" stands before what is accepted without effect:
//
//	stateDiagram-v2
//	[*] --> allocated
//	allocated --> creating: create_requested
//	allocated --> destroying: destroy_requested
//	creating --> created: operation_succeeded
//	creating --> backed_up: operation_skipped
//	creating --> error: operation_failed
//	creating --> creating: = create_requested
//	created --> backing_up: backup_requested
//	created --> destroying: destroy_requested
//	created --> created: = create_requested
//	backing_up --> backed_up: operation_succeeded
//	backing_up --> created: operation_failed (origin)
//	backing_up --> backed_up: operation_failed (origin)
//	backing_up --> backing_up: = backup_requested
//	backed_up --> copying: copy_requested
//	backed_up --> backing_up: backup_requested
//	backed_up --> destroying: destroy_requested
//	copying --> backed_up: operation_succeeded
//	copying --> backed_up: operation_failed (origin)
//	error --> destroying: destroy_requested
//	destroying --> deleted: operation_succeeded
//	destroying --> destroying: operation_failed
//	destroying --> destroying: = destroy_requested
//	deleted --> deleted: = destroy_requested
//	deleted --> [*]
//	classDef transitional stroke-dasharray: 4 3
//	class creating,backing_up,copying,destroying transitional
package snapshot
