package cascade

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// rule is a Rule that was checked against the registered kinds.
type rule struct {
	Rule
	when   bus.Pattern
	source *resources.Handle
	target *resources.Handle
	unless []condition
	ends   bool // While has a final state: a cause that was purged is in it
}

// condition is a field that must not have one of some values, which are of its type.
type condition struct {
	field  resources.Field
	values []any
}

// compiler checks rules.
type compiler struct {
	engine *resources.Engine
	list   string // rules, extra
}

func (c compiler) wrong(r *Rule, field, reason string, known ...string) error {
	return &OptionError{Option: c.list + "." + r.Name + "." + field, Reason: reason, Known: known}
}

func (c compiler) kind(r *Rule, field, name string) (*resources.Handle, error) {
	h, err := c.engine.Kind(name)
	if err != nil {
		return nil, c.wrong(r, field, fmt.Sprintf("%q is no registered kind", name), c.engine.Kinds()...)
	}
	return h, nil
}

// compile returns the rule, or an *OptionError that says what is wrong with it.
func (c compiler) compile(ctx context.Context, r Rule) (*rule, error) {
	out := &rule{Rule: r}
	for _, step := range []func(context.Context, *rule) error{c.checkWhen, c.checkWhile, c.checkTarget, c.checkStates, c.checkFields} {
		if err := step(ctx, out); err != nil {
			return nil, err
		}
	}
	if len(r.Reason) > maxReason {
		return nil, c.wrong(&r, "reason", fmt.Sprintf("has %d bytes; at most %d are allowed", len(r.Reason), maxReason))
	}
	if fault := bus.TextFault(r.Reason); fault != "" {
		return nil, c.wrong(&r, "reason", fault)
	}
	return out, nil
}

func (c compiler) checkWhen(_ context.Context, r *rule) (err error) {
	if r.when, err = bus.ParsePattern(r.When); err != nil {
		return c.wrong(&r.Rule, "when", err.Error())
	}
	kind, rest, _ := strings.Cut(r.When, ".")
	if r.source, err = c.kind(&r.Rule, "when", kind); err != nil {
		return err
	}
	what, state, _ := strings.Cut(rest, ".")
	switch {
	case what == "state" && state != "" && !strings.ContainsAny(state, "*>"):
		if !r.source.Machine().Has(fsm.State(state)) {
			return c.wrong(&r.Rule, "when", fmt.Sprintf("%q is no state of %s", state, kind), texts(r.source.Machine().States())...)
		}
		if r.While == nil {
			r.While = fsm.States(fsm.State(state))
		}
	case what == "state" || rest == "created" || rest == "updated" || rest == "removed" || rest == ">" || rest == "*":
	default:
		return c.wrong(&r.Rule, "when", fmt.Sprintf("%q is the type of no change", r.When), kind+".created", kind+".updated", kind+".removed", kind+".state.<state>")
	}
	return nil
}

func (c compiler) checkWhile(_ context.Context, r *rule) error {
	m := r.source.Machine()
	for _, s := range r.While {
		class, ok := m.Class(s)
		if !ok {
			return c.wrong(&r.Rule, "while", fmt.Sprintf("%q is no state of %s", s, m.Kind()), texts(m.States())...)
		}
		r.ends = r.ends || class == fsm.Final
	}
	return nil
}

func (c compiler) checkTarget(_ context.Context, r *rule) (err error) {
	ways := 0
	for _, way := range []string{r.Find, r.Follow, r.Create} {
		if way != "" {
			ways++
		}
	}
	switch {
	case ways != 1:
		return c.wrong(&r.Rule, "find", "doesn't say who is related: one of find (with by), follow and create does")
	case (r.By != "") != (r.Find != ""):
		return c.wrong(&r.Rule, "by", "goes with find")
	case r.Create != "":
		if r.Fire != "" || r.Then != "" || r.States != nil || r.Where != nil || r.Unless != nil {
			return c.wrong(&r.Rule, "create", "makes a resource: fire, then, states, where and unless are for those that are there")
		}
		r.target, err = c.kind(&r.Rule, "create", r.Create)
		return err
	case r.Follow != "":
		to, ok := r.source.Info().Relation(r.Follow)
		if !ok {
			return c.wrong(&r.Rule, "follow", fmt.Sprintf("%q is no relation of %s", r.Follow, r.source.Name()), relations(r.source.Info(), "")...)
		}
		r.target, err = c.kind(&r.Rule, "follow", to.Kind)
		return err
	}
	if r.target, err = c.kind(&r.Rule, "find", r.Find); err != nil || r.By == "id" {
		return err
	}
	if rel, ok := r.target.Info().Relation(r.By); !ok || rel.Kind != r.source.Name() {
		return c.wrong(&r.Rule, "by", fmt.Sprintf("%q is no relation of %s to %s", r.By, r.Find, r.source.Name()),
			append(relations(r.target.Info(), r.source.Name()), "id")...)
	}
	return nil
}

// relations lists the relations of a kind, to another kind if there is one given.
func relations(i *resources.Info, to string) []string {
	names := []string{}
	for _, r := range i.Relations {
		if to == "" || r.Kind == to {
			names = append(names, r.Field)
		}
	}
	return names
}

func (c compiler) checkStates(_ context.Context, r *rule) error {
	if r.Create != "" {
		return nil
	}
	m := r.target.Machine()
	for field, on := range map[string]fsm.Trigger{"fire": r.Fire, "then": r.Then} {
		if (on != "" || field == "fire") && !m.Knows(on) {
			return c.wrong(&r.Rule, field, fmt.Sprintf("%q is no trigger of %s", on, m.Kind()), texts(m.Triggers())...)
		}
	}
	leaves := leaving(m, r.Fire)
	if r.States == nil {
		r.States = leaves
	}
	if len(r.States) == 0 {
		return c.wrong(&r.Rule, "states", "has none")
	}
	for _, s := range r.States {
		if !slices.Contains(leaves, s) {
			return c.wrong(&r.Rule, "states", fmt.Sprintf("%q is no state in which %s can %q", s, m.Kind(), r.Fire), texts(leaves)...)
		}
	}
	return nil
}

// leaving lists the states that a trigger leads out of.
func leaving(m *fsm.Machine, on fsm.Trigger) []fsm.State {
	var all []fsm.State
	for _, e := range m.Spec().Edges {
		if e.On != on || e.To == fsm.Same {
			continue
		}
		for _, s := range e.From {
			if s != e.To && !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// checkFields has the kind look at the values that are asked for.
func (c compiler) checkFields(ctx context.Context, r *rule) error {
	if r.Create != "" {
		return nil
	}
	for option, values := range map[string]map[string]any{"where": r.Where, "unless": r.Unless} {
		_, _, err := r.target.List(ctx, resources.Query{Where: values, Limit: 1})
		var unknown *resources.UnknownError
		var invalid *resources.InvalidError
		switch {
		case errors.As(err, &unknown):
			return c.wrong(&r.Rule, option, fmt.Sprintf("%q is no field of %s", unknown.Name, r.target.Name()), unknown.Known...)
		case errors.As(err, &invalid):
			return c.wrong(&r.Rule, option+"."+invalid.Field, invalid.Reason)
		case err != nil:
			return err
		}
	}
	for _, name := range []string{r.By, "id"} {
		if _, ok := r.Where[name]; ok && name != "" {
			return c.wrong(&r.Rule, "where."+name, "is what the rule itself looks for: it can't be a condition")
		}
	}
	for name, value := range r.Unless {
		f, _ := r.target.Info().Field(name)
		values, err := r.target.Info().Values(name, value)
		if err != nil {
			return err // List has taken it
		}
		r.unless = append(r.unless, condition{f, values})
	}
	return nil
}

// excludes reports whether a resource is one of those that the rule isn't for.
func (r *rule) excludes(obj any) bool {
	return slices.ContainsFunc(r.unless, func(c condition) bool {
		is := reflect.ValueOf(obj).Elem().FieldByIndex(c.field.Index).Interface()
		return slices.ContainsFunc(c.values, func(v any) bool { return same(is, v) })
	})
}

func same(a, b any) bool {
	if at, ok := a.(time.Time); ok {
		other, ok := b.(time.Time)
		return ok && at.Equal(other)
	}
	return a == b
}

// lasts reports whether the rule also holds for what comes into its states later.
func (r *rule) lasts() bool { return r.Find != "" && len(r.While) > 0 }
