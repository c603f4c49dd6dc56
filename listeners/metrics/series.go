package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
)

// unknownTrigger is the label of triggers that the kind's machine doesn't have.
const unknownTrigger = "unknown"

// results are the values of the label of that name; places says where each is.
var results, places = func() ([]string, map[listeners.Result]int) {
	var names []string
	at := map[listeners.Result]int{}
	for i, r := range listeners.Results() {
		names = append(names, string(r))
		at[r] = i
	}
	return names, at
}()

// place is a result's place among all.
func place(r listeners.Result) int {
	if i, ok := places[r]; ok {
		return i
	}
	return places[listeners.Failed]
}

// slots are the metrics of a family that differ in the last label only. One that isn't needed isn't made, and isn't on the page.
type slots[T any] struct {
	with   func(labels ...string) T
	labels []string // the others
	names  []string // what the last one may be
	made   []atomic.Pointer[T]
}

func newSlots[T any](with func(...string) T, names []string, labels ...string) *slots[T] {
	return &slots[T]{with: with, labels: labels, names: names, made: make([]atomic.Pointer[T], len(names))}
}

// at returns the metric whose last label has a place among the names.
func (s *slots[T]) at(i int) T {
	if m := s.made[i].Load(); m != nil {
		return *m
	}
	m := s.with(append(s.labels[:len(s.labels):len(s.labels)], s.names[i])...) // who comes at the same time gets the same
	s.made[i].Store(&m)
	return m
}

// series are the metrics of a kind, found without putting labels together. The maps are never altered.
type series struct {
	triggers    map[fsm.Trigger]int // places in transitions and stays
	transitions []*slots[prometheus.Counter]
	unknown     *slots[prometheus.Counter]
	creations   *slots[prometheus.Counter]
	updates     *slots[prometheus.Counter]
	removals    *slots[prometheus.Counter]
	durations   *slots[prometheus.Observer]
	stays       map[fsm.State]*slots[prometheus.Observer] // of transitional states
}

// newSeries makes a kind's; without a machine all its triggers are unknown.
func newSeries(f *families, kind string, machine *fsm.Machine) *series {
	s := &series{
		triggers:  map[fsm.Trigger]int{},
		unknown:   newSlots(f.transitions.WithLabelValues, results, kind, unknownTrigger),
		creations: newSlots(f.creations.WithLabelValues, results, kind),
		updates:   newSlots(f.updates.WithLabelValues, results, kind),
		removals:  newSlots(f.removals.WithLabelValues, results, kind),
		durations: newSlots(f.durations.WithLabelValues, results, kind),
		stays:     map[fsm.State]*slots[prometheus.Observer]{},
	}
	if machine == nil {
		return s
	}
	var names []string
	for i, t := range machine.Triggers() {
		names = append(names, string(t))
		s.triggers[t] = i
		s.transitions = append(s.transitions, newSlots(f.transitions.WithLabelValues, results, kind, string(t)))
	}
	for _, state := range machine.States() {
		if class, _ := machine.Class(state); class == fsm.Transitional {
			s.stays[state] = newSlots(f.stays.WithLabelValues, names, kind, string(state))
		}
	}
	return s
}

// fired counts a trigger.
func (s *series) fired(t fsm.Trigger, place int, took time.Duration) {
	counters := s.unknown
	if i, ok := s.triggers[t]; ok {
		counters = s.transitions[i]
	}
	counters.at(place).Inc()
	s.durations.at(place).Observe(took.Seconds())
}

// left notes how long a resource was in a state that it has left. Only transitional ones are of interest.
func (s *series) left(state fsm.State, by fsm.Trigger, stay time.Duration) {
	stays := s.stays[state]
	if i, ok := s.triggers[by]; ok && stays != nil {
		stays.at(i).Observe(max(stay, 0).Seconds())
	}
}
