// Package cluster is the kind of Kubernetes clusters. Nobody here moves one: its state is what its provider reported last, so each
// report leads to its state from every other, and a repeated one says nothing new. After deleted comes nothing but that report again.
//
// The machine; "=" stands before what is accepted without effect:
//
//	stateDiagram-v2
//	[*] --> creating
//	creating --> creating: = report_creating
//	creating --> active: report_active
//	creating --> updating: report_updating
//	creating --> degraded: report_degraded
//	creating --> failed: report_failed
//	creating --> deleting: report_deleting
//	creating --> deleted: report_deleted
//	active --> creating: report_creating
//	active --> active: = report_active
//	active --> updating: report_updating
//	active --> degraded: report_degraded
//	active --> failed: report_failed
//	active --> deleting: report_deleting
//	active --> deleted: report_deleted
//	updating --> creating: report_creating
//	updating --> active: report_active
//	updating --> updating: = report_updating
//	updating --> degraded: report_degraded
//	updating --> failed: report_failed
//	updating --> deleting: report_deleting
//	updating --> deleted: report_deleted
//	degraded --> creating: report_creating
//	degraded --> active: report_active
//	degraded --> updating: report_updating
//	degraded --> degraded: = report_degraded
//	degraded --> failed: report_failed
//	degraded --> deleting: report_deleting
//	degraded --> deleted: report_deleted
//	failed --> creating: report_creating
//	failed --> active: report_active
//	failed --> updating: report_updating
//	failed --> degraded: report_degraded
//	failed --> failed: = report_failed
//	failed --> deleting: report_deleting
//	failed --> deleted: report_deleted
//	deleting --> creating: report_creating
//	deleting --> active: report_active
//	deleting --> updating: report_updating
//	deleting --> degraded: report_degraded
//	deleting --> failed: report_failed
//	deleting --> deleting: = report_deleting
//	deleting --> deleted: report_deleted
//	deleted --> deleted: = report_deleted
//	deleted --> [*]
package cluster
