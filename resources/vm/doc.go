// Package vm is the kind of virtual machines.
//
// A power report that comes while an operation runs ends it only if it says that the operation is done, or that a VM being
// paused or resumed has stopped. Any other says nothing new: reports repeat, and may be older than the operation. Its outcome,
// or the next report after it, decides. A report that a destroyed VM runs is refused: somebody should look at that zombie.
//
// The one guard, never_ran, holds for a VM that has never been in running or paused.
//
// The machine; "=" stands before what is accepted without effect:
//
//	stateDiagram-v2
//	[*] --> stopped
//	stopped --> starting: start_requested
//	stopped --> migrating: migration_requested
//	stopped --> restoring: restore_requested
//	stopped --> destroyed: destroy_requested
//	stopped --> expunging: expunge_requested
//	stopped --> error: creation_failed[never_ran]
//	stopped --> running: report_running
//	stopped --> paused: report_paused
//	stopped --> stopped: = report_stopped, stop_requested, recovery_requested
//	starting --> running: operation_succeeded, report_running
//	starting --> stopped: operation_failed (origin)
//	starting --> starting: = operation_retried, start_requested, report_stopped, report_paused
//	running --> stopping: stop_requested
//	running --> pausing: pause_requested
//	running --> migrating: migration_requested
//	running --> stopped: report_stopped
//	running --> paused: report_paused
//	running --> running: = report_running, start_requested, resume_requested
//	pausing --> paused: operation_succeeded, report_paused
//	pausing --> running: operation_failed (origin)
//	pausing --> pausing: = pause_requested, report_running
//	pausing --> stopped: report_stopped
//	paused --> resuming: resume_requested
//	paused --> stopping: stop_requested
//	paused --> running: report_running
//	paused --> stopped: report_stopped
//	paused --> paused: = report_paused, pause_requested
//	resuming --> running: operation_succeeded, report_running
//	resuming --> paused: operation_failed (origin)
//	resuming --> resuming: = resume_requested, report_paused
//	resuming --> stopped: report_stopped
//	stopping --> stopped: operation_succeeded, report_stopped
//	stopping --> running: operation_failed (origin)
//	stopping --> paused: operation_failed (origin)
//	stopping --> stopping: = stop_requested, report_running, report_paused
//	migrating --> stopped: operation_succeeded, operation_failed (origin)
//	migrating --> running: operation_succeeded, operation_failed (origin)
//	migrating --> migrating: = report_running, report_stopped, report_paused
//	restoring --> stopped: operation_succeeded
//	restoring --> stopped: operation_failed (origin)
//	restoring --> destroyed: operation_failed (origin)
//	restoring --> restoring: = restore_requested, report_stopped
//	destroyed --> stopped: recovery_requested
//	destroyed --> expunging: expunge_requested
//	destroyed --> restoring: restore_requested
//	destroyed --> destroyed: = destroy_requested, report_stopped
//	error --> expunging: destroy_requested, expunge_requested
//	error --> error: = report_stopped
//	expunging --> expunged: operation_succeeded
//	expunging --> expunging: operation_failed
//	expunging --> expunging: = expunge_requested, destroy_requested, report_stopped
//	expunged --> expunged: = report_stopped, expunge_requested, destroy_requested
//	expunged --> [*]
//	classDef transitional stroke-dasharray: 4 3
//	class starting,pausing,resuming,stopping,migrating,restoring,expunging transitional
package vm
