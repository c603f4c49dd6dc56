// Package template is the kind of templates: the images that VMs and volumes are made from. One that is to be uploaded begins in
// not_uploaded, one that is registered from what is there already in active.
//
// The machine; "=" stands before what is accepted without effect:
//
//	stateDiagram-v2
//	[*] --> not_uploaded
//	[*] --> active
//	not_uploaded --> uploading: upload_requested
//	not_uploaded --> active: operation_succeeded
//	not_uploaded --> upload_failed: operation_failed
//	active --> inactive: deactivate_requested
//	active --> active: = activate_requested
//	uploading --> active: operation_succeeded
//	uploading --> upload_failed: operation_failed, operation_timed_out
//	inactive --> active: activate_requested
//	inactive --> deleted: delete_requested
//	inactive --> inactive: = deactivate_requested
//	upload_failed --> uploading: upload_requested
//	upload_failed --> deleted: delete_requested
//	deleted --> deleted: = delete_requested
//	deleted --> [*]
//	classDef transitional stroke-dasharray: 4 3
//	class uploading transitional
package template
