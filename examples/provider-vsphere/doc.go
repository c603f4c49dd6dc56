// Provider-vsphere is a provider process: it watches the VMs of a vCenter and reports their statuses to servers, over NATS.
//
// See README.md for how to run it, and DESIGN.md for what it decides.
package main
