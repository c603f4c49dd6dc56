package volume

import "github.com/cloudbus-go/cloudbus/fsm"

var (
	// attached holds for a volume that belongs to a VM, detached for one that doesn't.
	attached = fsm.If("attached", func(v *Volume) bool { return v.VMID != "" })
	detached = fsm.If("detached", func(v *Volume) bool { return v.VMID == "" })

	// created holds for a volume that once was on primary storage, uploaded for one that once was uploaded.
	created  = fsm.If("created", func(v *Volume) bool { return v.WasCreated })
	uploaded = fsm.If("uploaded", func(v *Volume) bool { return v.WasUploaded })
)
