package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// fleetSize is how many VMs there are, more or less, that aren't gone for good: few enough for callers to meet at one.
const fleetSize = 400

// fleet is the VMs that callers choose from. Safe for concurrent use.
type fleet struct {
	life int

	mu   sync.Mutex
	ids  []string
	made int
}

// muster begins with the VMs that are there.
func muster(ctx context.Context, vms *resources.Kind[vm.VM], life int) (*fleet, error) {
	f := &fleet{life: life}
	alive := slices.DeleteFunc(vm.Machine.States(), func(s fsm.State) bool { return s == vm.Expunged })
	page, err := vms.List(ctx, resources.Query{States: alive, Limit: 2 * fleetSize})
	if err != nil {
		return nil, err
	}
	for _, v := range page.Items {
		f.ids = append(f.ids, v.ID)
	}
	return f, nil
}

// pick returns one of them; "": there are too few, make one.
func (f *fleet) pick(rng *rand.Rand) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.ids) < fleetSize/8 || len(f.ids) < fleetSize && rng.IntN(20) == 0 {
		return ""
	}
	return f.ids[rng.IntN(len(f.ids))]
}

// name returns an id that nobody has.
func (f *fleet) name() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.made++
	return fmt.Sprintf("vm-%d-%d", f.life, f.made)
}

func (f *fleet) add(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids = append(f.ids, id)
}

func (f *fleet) remove(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids = slices.DeleteFunc(f.ids, func(other string) bool { return other == id })
}
