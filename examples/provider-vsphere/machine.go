package main

import (
	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/vmware/govmomi/vim25/types"
)

// What is watched of a VM.
const (
	propName       = "name"
	propPower      = "runtime.powerState"
	propConnection = "runtime.connectionState"
	propGuest      = "guest.guestState"
	propUUID       = "config.instanceUuid"
	propExtra      = "config.extraConfig"
	propCustom     = "customValue"
)

// machine is what is known of one VM.
type machine struct {
	name       string
	power      types.VirtualMachinePowerState
	connection types.VirtualMachineConnectionState
	guest      string
	uuid       string
	extra      types.ArrayOfOptionValue
	custom     types.ArrayOfCustomFieldValue

	id      string // as servers know it; "" if it has none
	refused string // an id that it would have, and that another VM has
}

// change sets what an update of the property collector says. A property that isn't set any more comes with a nil value.
func (m *machine) change(changes []types.PropertyChange) {
	for _, c := range changes {
		if c.Val == nil && (c.Name == propUUID || c.Name == propExtra) {
			continue // the configuration can't be read, as of a VM whose datastore is lost: it hasn't another id
		}
		switch c.Name {
		case propName:
			m.name, _ = c.Val.(string)
		case propPower:
			m.power, _ = c.Val.(types.VirtualMachinePowerState)
		case propConnection:
			m.connection, _ = c.Val.(types.VirtualMachineConnectionState)
		case propGuest:
			m.guest, _ = c.Val.(string)
		case propUUID:
			m.uuid, _ = c.Val.(string)
		case propExtra:
			m.extra, _ = c.Val.(types.ArrayOfOptionValue)
		case propCustom:
			m.custom, _ = c.Val.(types.ArrayOfCustomFieldValue)
		}
	}
}

// word is what the platform says of the VM, in a word of the table status.VMware; "" as long as it says nothing. What keeps the vCenter from knowing comes first, then where the VM is on its way to.
func (m *machine) word(doing operation) string {
	switch {
	case m.connection != "" && m.connection != types.VirtualMachineConnectionStateConnected:
		return string(m.connection)
	case doing == destroying:
		return status.VMwareDestroying
	case doing == creating && m.power == types.VirtualMachinePowerStatePoweredOff:
		return status.VMwareCreating
	case m.power == types.VirtualMachinePowerStatePoweredOn && m.guest == string(types.VirtualMachineGuestStateShuttingDown):
		return status.VMwareShuttingDown
	}
	return string(m.power)
}
