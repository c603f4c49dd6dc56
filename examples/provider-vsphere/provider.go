package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/vmware/govmomi/vim25/types"
)

// Provider watches the VMs of a vCenter and reports their statuses.
type Provider struct {
	options  Options
	reporter *status.Reporter
	log      *slog.Logger

	// What the session at hand knows. Only Run's goroutine touches it.
	machines map[types.ManagedObjectReference]*machine
	tasks    map[types.ManagedObjectReference]task
	owners   map[string]types.ManagedObjectReference // who has an id

	before map[types.ManagedObjectReference]*machine // of the session before
}

// NewProvider returns a provider that has yet to Run.
func NewProvider(o Options) (*Provider, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Provider{options: o, reporter: o.Reporter, log: o.Logger}, nil
}

// Run watches until ctx ends. A vCenter that is away, or refuses, is tried again for ever; each time it is there, all VMs are listed and reported anew.
func (p *Provider) Run(ctx context.Context) {
	for attempt := 0; ctx.Err() == nil; attempt++ {
		began := time.Now()
		err := p.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > p.options.Retry {
			attempt = 0 // it was there for a while
		}
		pause := min(p.options.Retry, 100*time.Millisecond<<min(attempt, 16))
		pause = pause/2 + rand.N(pause/2+1)
		p.log.Warn("the vCenter can't be watched; trying again", "host", p.options.URL.Host, "after", pause, "error", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// report says what is known of a VM.
func (p *Provider) report(ctx context.Context, ref types.ManagedObjectReference, m *machine) {
	word := m.word(p.doing(ref))
	if m.id == "" || word == "" {
		return
	}
	p.send(ctx, m, word)
}

func (p *Provider) send(ctx context.Context, m *machine, word string) {
	s, _ := status.VMware.Map(word) // the table counts and logs words that it doesn't know
	o := status.Observation{ServiceType: status.VM.Name, ID: m.id, Status: s, Raw: word, Message: fmt.Sprintf("%s: %s", m.name, word)}
	if err := p.reporter.Report(ctx, o); err != nil && ctx.Err() == nil {
		p.log.Error("a status wasn't taken", "vm", m.name, "id", m.id, "status", s, "error", err)
	}
}

// doing is what the running tasks do to a VM: what ends it counts more.
func (p *Provider) doing(ref types.ManagedObjectReference) operation {
	doing := nothing
	for _, t := range p.tasks {
		if t.vm == ref {
			doing = max(doing, t.doing)
		}
	}
	return doing
}
