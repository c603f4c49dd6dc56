package usage

import (
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/publicip"
	"github.com/cloudbus-go/cloudbus/resources/snapshot"
	"github.com/cloudbus-go/cloudbus/resources/template"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
	"pgregory.net/rapid"
)

// history is what happened to one resource, as the journal has it.
type history []bus.Event[resources.AnyChanged]

// subject is a resource of a kind that random walks can resize.
type subject interface {
	machine() *fsm.Machine
	guarded() any    // what guards look at
	draw(t *rapid.T) // change size and what guards look at
	changed(resources.Change) resources.AnyChanged
}

type vmSubject struct{ v vm.VM }

func (s *vmSubject) machine() *fsm.Machine { return vm.Machine }
func (s *vmSubject) guarded() any          { return &s.v }
func (s *vmSubject) draw(t *rapid.T) {
	s.v.CPUs = rapid.IntRange(1, 3).Draw(t, "cpus")
	s.v.EverRan = rapid.Bool().Draw(t, "ever_ran")
}
func (s *vmSubject) changed(c resources.Change) resources.AnyChanged {
	return vm.Changed{Change: c, Resource: s.v}
}

type volumeSubject struct{ v volume.Volume }

func (s *volumeSubject) machine() *fsm.Machine { return volume.Machine }
func (s *volumeSubject) guarded() any          { return &s.v }
func (s *volumeSubject) draw(t *rapid.T) {
	s.v.SizeGiB = rapid.Int64Range(1, 3).Draw(t, "gib")
	s.v.VMID = rapid.SampledFrom([]string{"", "vm-1"}).Draw(t, "vm_id")
	s.v.WasCreated = rapid.Bool().Draw(t, "was_created")
	s.v.WasUploaded = rapid.Bool().Draw(t, "was_uploaded")
}
func (s *volumeSubject) changed(c resources.Change) resources.AnyChanged {
	return volume.Changed{Change: c, Resource: s.v}
}

type nicSubject struct{ v nic.NIC }

func (s *nicSubject) machine() *fsm.Machine { return nic.Machine }
func (s *nicSubject) guarded() any          { return &s.v }
func (s *nicSubject) draw(*rapid.T)         {}
func (s *nicSubject) changed(c resources.Change) resources.AnyChanged {
	return nic.Changed{Change: c, Resource: s.v}
}

type networkSubject struct{ v network.Network }

func (s *networkSubject) machine() *fsm.Machine { return network.Machine }
func (s *networkSubject) guarded() any          { return &s.v }
func (s *networkSubject) draw(*rapid.T)         {}
func (s *networkSubject) changed(c resources.Change) resources.AnyChanged {
	return network.Changed{Change: c, Resource: s.v}
}

type publicIPSubject struct{ v publicip.PublicIP }

func (s *publicIPSubject) machine() *fsm.Machine { return publicip.Machine }
func (s *publicIPSubject) guarded() any          { return &s.v }
func (s *publicIPSubject) draw(*rapid.T)         {}
func (s *publicIPSubject) changed(c resources.Change) resources.AnyChanged {
	return publicip.Changed{Change: c, Resource: s.v}
}

type snapshotSubject struct{ v snapshot.Snapshot }

func (s *snapshotSubject) machine() *fsm.Machine { return snapshot.Machine }
func (s *snapshotSubject) guarded() any          { return &s.v }
func (s *snapshotSubject) draw(t *rapid.T)       { s.v.SizeGiB = rapid.Int64Range(1, 3).Draw(t, "gib") }
func (s *snapshotSubject) changed(c resources.Change) resources.AnyChanged {
	return snapshot.Changed{Change: c, Resource: s.v}
}

type templateSubject struct{ v template.Template }

func (s *templateSubject) machine() *fsm.Machine { return template.Machine }
func (s *templateSubject) guarded() any          { return &s.v }
func (s *templateSubject) draw(t *rapid.T)       { s.v.SizeGiB = rapid.Int64Range(1, 3).Draw(t, "gib") }
func (s *templateSubject) changed(c resources.Change) resources.AnyChanged {
	return template.Changed{Change: c, Resource: s.v}
}

// walk fires random triggers at a subject, with updates, other tenants and clocks that stand still or go back in between.
func walk(t *rapid.T, s subject) history {
	m := s.machine()
	now := time.Unix(1_700_000_000, 0)
	state, origin := rapid.SampledFrom(m.Initial()).Draw(t, "initial"), fsm.State("")
	c := resources.Change{Action: resources.Created, Kind: m.Kind(), ResourceID: "r1", Tenant: "a", To: state, Time: now}
	var h history
	post := func() {
		h = append(h, bus.Event[resources.AnyChanged]{Header: bus.Header{Seq: uint64(3*len(h) + 2)}, Payload: s.changed(c)})
	}
	s.draw(t)
	post()
	for range rapid.IntRange(1, 60).Draw(t, "steps") {
		now = now.Add(time.Duration(rapid.Int64Range(-3, 1000).Draw(t, "ns")))
		c.Time, c.Trigger = now, ""
		if rapid.IntRange(0, 4).Draw(t, "update") == 0 {
			s.draw(t)
			c.Action, c.From, c.FromOrigin = resources.Updated, state, origin
			c.Tenant = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "tenant")
			post()
			continue
		}
		allowed, err := m.Allowed(state, origin, s.guarded())
		if err != nil {
			t.Fatalf("allowed in %s: %v", state, err)
		}
		if len(allowed) == 0 {
			break
		}
		on := rapid.SampledFrom(allowed).Draw(t, "on")
		step, err := m.Next(state, origin, on, s.guarded())
		if err != nil {
			t.Fatalf("%s in %s: %v", on, state, err)
		}
		if !step.Moved {
			continue
		}
		c.Action, c.Trigger, c.From, c.FromOrigin, c.To, c.Origin = resources.Moved, on, state, origin, step.To, step.Origin
		state, origin = step.To, step.Origin
		post()
	}
	return h
}
