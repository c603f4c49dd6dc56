// Package volume is the kind of disks.
//
// The guards attached and detached say whether VMID is set. Set it with the request to attach or with its success; a
// failed attachment and a successful detachment clear it. The guards created and uploaded say what the volume once was
// (WasCreated, WasUploaded), so that its recovery leads back to it.
//
// The machine; "=" stands before what is accepted without effect:
//
//	stateDiagram-v2
//	[*] --> allocated
//	allocated --> creating: create_requested
//	allocated --> uploading: upload_requested
//	allocated --> destroyed: destroy_requested
//	creating --> ready: operation_succeeded
//	creating --> allocated: operation_failed (origin)
//	creating --> creating: = operation_retried, create_requested
//	ready --> resizing: resize_requested
//	ready --> snapshotting: snapshot_requested
//	ready --> reverting: revert_requested
//	ready --> migrating: migration_requested
//	ready --> attaching: attach_requested[detached]
//	ready --> detaching: detach_requested[attached]
//	ready --> destroyed: destroy_requested[detached]
//	ready --> ready: = create_requested
//	resizing --> ready: operation_succeeded
//	resizing --> ready: operation_failed (origin)
//	snapshotting --> ready: operation_succeeded
//	snapshotting --> ready: operation_failed (origin)
//	reverting --> ready: operation_succeeded
//	reverting --> ready: operation_failed (origin)
//	migrating --> ready: operation_succeeded
//	migrating --> ready: operation_failed (origin)
//	attaching --> ready: operation_succeeded
//	attaching --> ready: operation_failed (origin)
//	detaching --> ready: operation_succeeded
//	detaching --> ready: operation_failed (origin)
//	detaching --> detaching: = detach_requested
//	uploading --> uploaded: operation_succeeded
//	uploading --> upload_failed: operation_failed, operation_timed_out
//	uploaded --> copying: copy_requested
//	uploaded --> destroyed: destroy_requested
//	copying --> ready: operation_succeeded
//	copying --> uploaded: operation_failed (origin)
//	upload_failed --> destroyed: destroy_requested
//	upload_failed --> uploading: upload_requested
//	destroyed --> ready: recovery_requested[created]
//	destroyed --> uploaded: recovery_requested[uploaded]
//	destroyed --> allocated: recovery_requested
//	destroyed --> restoring: restore_requested
//	destroyed --> expunging: expunge_requested
//	destroyed --> destroyed: = destroy_requested
//	restoring --> ready: operation_succeeded
//	restoring --> destroyed: operation_failed (origin)
//	expunging --> expunged: operation_succeeded
//	expunging --> expunging: operation_failed
//	expunging --> expunging: = expunge_requested, destroy_requested
//	expunged --> expunged: = expunge_requested, destroy_requested
//	expunged --> [*]
//	classDef transitional stroke-dasharray: 4 3
//	class creating,resizing,snapshotting,reverting,migrating,attaching,detaching,uploading,copying,restoring,expunging transitional
package volume
