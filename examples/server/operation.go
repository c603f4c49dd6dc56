package main

import (
	"container/heap"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

// operation is work that a resource in a transitional state waits for.
type operation struct {
	ID          bus.ID
	Kind        string
	Resource    string
	State       fsm.State
	Version     uint64 // of the resource when it entered the state
	Correlation string // of the request that led to it, if known
	Trace       string // that it carries on, if any
	Due         time.Time
}

// fate decides how an operation ends and how long it takes: a function of the seed and of what is asked, so that neither the
// order nor the number of other operations matters.
type fate struct {
	rng      *rand.Rand
	failRate float64
	mean     time.Duration
}

func (h *hypervisor) fate(op operation) fate {
	hash := fnv.New64a()
	_, _ = fmt.Fprintf(hash, "%s/%s %s %d", op.Kind, op.Resource, op.State, op.Version)
	return fate{rng: rand.New(rand.NewPCG(h.o.Seed, hash.Sum64())), failRate: h.o.FailRate, mean: h.o.Duration}
}

func (f fate) draw() (success bool, took time.Duration) {
	success = f.rng.Float64() >= f.failRate
	return success, f.mean/2 + time.Duration(f.rng.Float64()*float64(f.mean))
}

// endOf is the trigger that ends an operation in a state, well or badly: of those that the machine names, the one that isn't accepted
// without effect there.
func endOf(m *fsm.Machine, in fsm.State, success bool) fsm.Trigger {
	spec := m.Spec()
	triggers, usual := spec.Fail, fsm.OperationFailed
	if success {
		triggers, usual = spec.Succeed, fsm.OperationSucceeded
	}
	for _, e := range spec.Edges {
		if slices.Contains(triggers, e.On) && slices.Contains(e.From, in) && e.To != fsm.Same {
			return e.On
		}
	}
	return usual
}

// agenda is what there is to do, the earliest first.
type agenda struct{ ops operations }

// push adds op and reports whether it is the first now.
func (a *agenda) push(op operation) bool {
	heap.Push(&a.ops, op)
	return a.ops[0].ID == op.ID
}

func (a *agenda) first() (operation, bool) {
	if len(a.ops) == 0 {
		return operation{}, false
	}
	return a.ops[0], true
}

func (a *agenda) pop() operation { return heap.Pop(&a.ops).(operation) }

// operations implement heap.Interface.
type operations []operation

func (o operations) Len() int           { return len(o) }
func (o operations) Less(i, j int) bool { return o[i].Due.Before(o[j].Due) }
func (o operations) Swap(i, j int)      { o[i], o[j] = o[j], o[i] }
func (o *operations) Push(x any)        { *o = append(*o, x.(operation)) }

func (o *operations) Pop() any {
	last := len(*o) - 1
	op := (*o)[last]
	(*o)[last] = operation{}
	*o = (*o)[:last]
	return op
}
