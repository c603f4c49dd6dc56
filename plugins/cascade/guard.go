package cascade

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// GuardName is the name of the listener, as a *resources.VetoError tells it.
const GuardName = "cascade"

// maxHolders is how many of those that stand in the way are named.
const maxHolders = 10

// Guard is an in-transaction listener that applies exclusions: in the transaction of the change it looks for what forbids it, and locks
// what must not change before the commit. It is given to resources.New, after listeners.Post. A change of a kind that no rule names costs a
// look into a map.
type Guard struct {
	rules atomic.Pointer[guardRules]
}

// guardRules are the rules by what they are about.
type guardRules struct {
	all     []Forbid
	ofOne   map[string][]*Forbid // by Kind
	ofOther map[string][]*Forbid // by While
}

// NewGuard returns a guard that applies the rules. Errors: *OptionError. Whether kinds, states, triggers and relations are there is known
// once kinds are registered: Check, or the plugin's Init, looks. A rule about a kind that isn't registered does nothing.
func NewGuard(rules ...Forbid) (*Guard, error) {
	g := &Guard{}
	return g, g.use(rules)
}

func (g *Guard) use(rules []Forbid) error {
	r := &guardRules{all: slices.Clone(rules), ofOne: map[string][]*Forbid{}, ofOther: map[string][]*Forbid{}}
	taken := map[string]bool{}
	for i := range r.all {
		f := &r.all[i]
		if err := checkName("forbid", i, f.Name, taken); err != nil {
			return err
		}
		for field, empty := range map[string]bool{
			"kind": f.Kind == "", "to": len(f.To) == 0, "while": f.While == "", "by": f.By == "", "states": len(f.States) == 0,
		} {
			if empty {
				return f.wrong(field, "is missing")
			}
		}
		r.ofOne[f.Kind] = append(r.ofOne[f.Kind], f)
		r.ofOther[f.While] = append(r.ofOther[f.While], f)
	}
	g.rules.Store(r)
	return nil
}

func (f *Forbid) wrong(field, reason string, known ...string) error {
	return &OptionError{Option: "forbid." + f.Name + "." + field, Reason: reason, Known: known}
}

// Check compares the rules with the kinds that are registered. Rules of DefaultForbids about kinds that aren't are passed over. Errors: *OptionError.
func (g *Guard) Check(e *resources.Engine) error {
	defaults := map[string]bool{}
	for _, f := range DefaultForbids() {
		defaults[f.Name] = true
	}
	for i := range g.rules.Load().all {
		f := &g.rules.Load().all[i]
		one, err := e.Kind(f.Kind)
		other, err2 := e.Kind(f.While)
		switch {
		case (err != nil || err2 != nil) && defaults[f.Name]:
			continue
		case err != nil:
			return f.wrong("kind", fmt.Sprintf("%q is no registered kind", f.Kind), e.Kinds()...)
		case err2 != nil:
			return f.wrong("while", fmt.Sprintf("%q is no registered kind", f.While), e.Kinds()...)
		}
		if rel, ok := other.Info().Relation(f.By); !ok || rel.Kind != f.Kind {
			return f.wrong("by", fmt.Sprintf("%q is no relation of %s to %s", f.By, f.While, f.Kind), relations(other.Info(), f.Kind)...)
		}
		if err := errors.Join(f.checkNames("to", "on", one.Machine(), f.To, f.On), f.checkNames("states", "enter", other.Machine(), f.States, f.Enter)); err != nil {
			return err
		}
	}
	return nil
}

func (f *Forbid) checkNames(states, triggers string, m *fsm.Machine, s []fsm.State, t []fsm.Trigger) error {
	for _, state := range s {
		if !m.Has(state) {
			return f.wrong(states, fmt.Sprintf("%q is no state of %s", state, m.Kind()), texts(m.States())...)
		}
	}
	for _, on := range t {
		if !m.Knows(on) {
			return f.wrong(triggers, fmt.Sprintf("%q is no trigger of %s", on, m.Kind()), texts(m.Triggers())...)
		}
	}
	return nil
}

// Name returns "cascade".
func (g *Guard) Name() string { return GuardName }

// InTx refuses what is forbidden, with a *ForbiddenError.
func (g *Guard) InTx(_ context.Context, tx resources.Tx, c resources.Change) error {
	if c.Action == resources.Removed {
		return nil
	}
	r := g.rules.Load()
	for _, f := range r.ofOne[c.Kind] {
		if err := f.checkOne(tx, c); err != nil {
			return err
		}
	}
	for _, f := range r.ofOther[c.Kind] {
		if err := f.checkOther(tx, c); err != nil {
			return err
		}
	}
	return nil
}

// checkOne refuses to let the one go while others hold it. Its row is written, and so locked: who would hold it anew waits.
func (f *Forbid) checkOne(tx resources.Tx, c resources.Change) error {
	if !slices.Contains(f.To, c.To) || slices.Contains(f.To, c.From) || len(f.On) > 0 && !slices.Contains(f.On, c.Trigger) {
		return nil
	}
	found, err := tx.Resources(f.While, resources.Query{Where: map[string]any{f.By: c.ResourceID}, States: f.States, Limit: maxHolders + 1})
	var unknown *resources.UnknownError
	if errors.As(err, &unknown) && unknown.What == "kind" {
		return nil
	}
	if err != nil || len(found) == 0 {
		return err
	}
	refused := &ForbiddenError{Rule: f.Name, Kind: c.Kind, ID: c.ResourceID, To: c.To, HolderKind: f.While, By: f.By, Advice: f.Advice}
	for _, obj := range found[:min(len(found), maxHolders)] {
		o := resources.ObjectOf(obj)
		refused.Holders = append(refused.Holders, Holder{o.ID, o.State})
	}
	refused.More = len(found) > maxHolders
	return refused
}

// checkOther refuses to let another hold the one when that is on its way, or gone. It keeps the one where it is until the commit.
func (f *Forbid) checkOther(tx resources.Tx, c resources.Change) error {
	if !slices.Contains(f.States, c.To) {
		return nil
	}
	for _, ref := range c.References() {
		if ref.Field != f.By || ref.Kind != f.Kind || !ref.New && !f.enters(c) {
			continue
		}
		state, err := tx.State(f.Kind, ref.ID)
		var unknown *resources.UnknownError
		if errors.Is(err, resources.ErrNotFound) || errors.As(err, &unknown) && unknown.What == "kind" {
			return nil // whether it has to be there is the relation's business
		}
		if err != nil {
			return err
		}
		if slices.Contains(f.To, state) {
			return &ForbiddenError{Rule: f.Name, Kind: f.Kind, ID: ref.ID, To: state, HolderKind: c.Kind, By: f.By, Holders: []Holder{{c.ResourceID, c.To}}, There: true}
		}
	}
	return nil
}

// enters reports whether a change brings its resource into the states that hold the one.
func (f *Forbid) enters(c resources.Change) bool {
	if slices.Contains(f.States, c.From) {
		return false
	}
	return c.Action == resources.Created || len(f.Enter) == 0 || slices.Contains(f.Enter, c.Trigger)
}

// Holder is a resource that stands in the way.
type Holder struct {
	ID    string
	State fsm.State
}

// ForbiddenError says which rule forbids a change, and who stands in the way. A *resources.VetoError wraps it.
type ForbiddenError struct {
	Rule     string
	Kind, ID string    // of the one
	To       fsm.State // where it would go, or is

	HolderKind, By string   // of the others: kind, and relation to the one
	Holders        []Holder // the first ten, in order of ID; the resource itself if There
	More           bool     // there are others
	There          bool     // the one is in To: what is refused is that another holds it
	Advice         string
}

func (e *ForbiddenError) Error() string {
	if e.There {
		return fmt.Sprintf("%s/%s is %q: %s/%s can't be %q there (%s, rule %s)", e.Kind, e.ID, e.To, e.HolderKind, e.Holders[0].ID, e.Holders[0].State, e.By, e.Rule)
	}
	var names []string
	for _, h := range e.Holders {
		names = append(names, fmt.Sprintf("%s/%s (%s)", e.HolderKind, h.ID, h.State))
	}
	s := fmt.Sprintf("%s/%s can't become %q while it is held by %s", e.Kind, e.ID, e.To, strings.Join(names, ", "))
	if e.More {
		s += " and more"
	}
	s += fmt.Sprintf(" (%s, rule %s)", e.By, e.Rule)
	if e.Advice != "" {
		s += ": " + e.Advice
	}
	return s
}

var _ resources.InTxListener = (*Guard)(nil)
