// Package container is the kind of containers. Nobody here moves one: its state is what its provider reported last, so each report
// leads to its state from every other, and a repeated one says nothing new. After deleted comes nothing but that report again.
//
// The machine; "=" stands before what is accepted without effect:
//
//	stateDiagram-v2
//	[*] --> pending
//	pending --> pending: = report_pending
//	pending --> running: report_running
//	pending --> succeeded: report_succeeded
//	pending --> failed: report_failed
//	pending --> unknown: report_unknown
//	pending --> deleted: report_deleted
//	running --> pending: report_pending
//	running --> running: = report_running
//	running --> succeeded: report_succeeded
//	running --> failed: report_failed
//	running --> unknown: report_unknown
//	running --> deleted: report_deleted
//	succeeded --> pending: report_pending
//	succeeded --> running: report_running
//	succeeded --> succeeded: = report_succeeded
//	succeeded --> failed: report_failed
//	succeeded --> unknown: report_unknown
//	succeeded --> deleted: report_deleted
//	failed --> pending: report_pending
//	failed --> running: report_running
//	failed --> succeeded: report_succeeded
//	failed --> failed: = report_failed
//	failed --> unknown: report_unknown
//	failed --> deleted: report_deleted
//	unknown --> pending: report_pending
//	unknown --> running: report_running
//	unknown --> succeeded: report_succeeded
//	unknown --> failed: report_failed
//	unknown --> unknown: = report_unknown
//	unknown --> deleted: report_deleted
//	deleted --> deleted: = report_deleted
//	deleted --> [*]
package container
