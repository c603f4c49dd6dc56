package resources

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Relation is a field that names another resource by its ID, or nothing (""): one tagged cloudbus:"ref=<kind>".
type Relation struct {
	Field string // JSON name
	Kind  string // of the resource that is named; it may be the kind's own
	index []int  // reflect path in T
}

// Of returns the ID that v, a *T, names in this field; "" for none.
func (r Relation) Of(v any) string {
	return reflect.ValueOf(v).Elem().FieldByIndex(r.index).String()
}

// Relation returns the relation whose field has the JSON name.
func (i *Info) Relation(field string) (Relation, bool) {
	for _, r := range i.Relations {
		if r.Field == field {
			return r, true
		}
	}
	return Relation{}, false
}

const refTag = "ref="

// relationTag returns the kind that a field's tag refers to.
func relationTag(f reflect.StructField) (kind string, ok bool) {
	return strings.CutPrefix(f.Tag.Get("cloudbus"), refTag)
}

// checkTag checks one field's tag; columns says whether the field can be a column.
func (i *Info) checkTag(f reflect.StructField, tag string, columns bool) error {
	if tag == "secret" {
		return nil
	}
	kind, ok := strings.CutPrefix(tag, refTag)
	name, _ := jsonName(f)
	switch {
	case !ok:
		return i.invalid(f.Name, "its tag cloudbus:%q means nothing (allowed: \"secret\", \"ref=<kind>\")", tag)
	case !kindName(kind):
		return i.invalid(f.Name, "its tag cloudbus:%q names no kind (a kind's name is [a-z][a-z0-9_]*)", tag)
	case f.Type.Kind() != reflect.String:
		return i.invalid(f.Name, "its tag cloudbus:%q is for a string, which holds the other's ID; this is a %v", tag, f.Type)
	case !columns:
		return i.invalid(f.Name, "its tag cloudbus:%q is for fields of the kind itself, not for those inside of others: there is no column for it", tag)
	case !f.IsExported() || name == "":
		return i.invalid(f.Name, "its tag cloudbus:%q is for fields that JSON shows: nobody could list by it", tag)
	}
	return nil
}

func kindName(s string) bool {
	for n, r := range s {
		if (r < 'a' || r > 'z') && (n == 0 || (r < '0' || r > '9') && r != '_') {
			return false
		}
	}
	return s != ""
}

// Reference is what a resource names by one of its relations.
type Reference struct {
	Field    string // JSON name
	Kind, ID string // of the resource that is named
	New      bool   // the change made it so: it was another, or none, before
}

// References lists what the resource names after the change, in order of the relations' declaration, without those that name nothing.
// It is for listeners: of a change that was decoded, and of one that removes the resource, it is empty.
func (c Change) References() []Reference {
	if c.links == nil {
		return nil
	}
	return c.links.all()
}

// links are the relations of a resource in a change.
type links struct {
	info  *Info
	old   []string // by relation, before the change; empty: there was nothing before
	now   []string // by relation, after it
	fresh []link   // those to be checked, in order of kind and ID
}

// link is a relation that names something new, of a kind that is registered.
type link struct {
	relation *Relation
	target   *Handle
	id       string
}

func (l *links) all() []Reference {
	all := make([]Reference, 0, len(l.now))
	for n, r := range l.info.Relations {
		if id := l.now[n]; id != "" {
			all = append(all, Reference{Field: r.Field, Kind: r.Kind, ID: id, New: len(l.old) == 0 || l.old[n] != id})
		}
	}
	return all
}

// keepLinks notes what obj named before the change.
func (w *work) keepLinks(obj any) {
	if relations := w.h.info.Relations; len(relations) > 0 {
		w.links.old = linksOf(relations, reflect.ValueOf(obj).Elem())
	}
}

// link notes what a resource names after the change, and which of it is to be checked.
func (w *work) link(obj reflect.Value) {
	if w.base.Action == Removed {
		return
	}
	l := links{info: w.h.info, old: w.links.old}
	l.now = linksOf(l.info.Relations, obj)
	for n := range l.info.Relations {
		r := &l.info.Relations[n]
		if l.now[n] == "" || len(l.old) > 0 && l.old[n] == l.now[n] {
			continue
		}
		if target := w.h.engine.registered(r.Kind); target != nil {
			l.fresh = append(l.fresh, link{r, target, l.now[n]})
		}
	}
	slices.SortFunc(l.fresh, func(a, b link) int {
		return cmp.Or(strings.Compare(a.relation.Kind, b.relation.Kind), strings.Compare(a.id, b.id))
	})
	w.links = l
	w.change.links = &l
}

func linksOf(relations []Relation, obj reflect.Value) []string {
	ids := make([]string, len(relations))
	for n := range relations {
		ids[n] = obj.FieldByIndex(relations[n].index).String()
	}
	return ids
}

// around divides what is to be checked into what comes before a resource in order of kind and ID, and what comes after it: itself too,
// since what doesn't exist before it is written does then.
func (l *links) around(kind, id string) (before, after []link) {
	n := slices.IndexFunc(l.fresh, func(f link) bool {
		return cmp.Or(strings.Compare(f.relation.Kind, kind), strings.Compare(f.id, id)) >= 0
	})
	if n < 0 {
		return l.fresh, nil
	}
	return l.fresh[:n], l.fresh[n:]
}

// checkLinks refuses to name what isn't there or is in a final state, and keeps what is from getting there until the transaction has ended.
func (w *work) checkLinks(tx StoreTx, all []link) error {
	for _, f := range all {
		refused := &RelationError{
			Kind: w.change.Kind, ID: w.change.ResourceID, Field: f.relation.Field, TargetKind: f.relation.Kind, TargetID: f.id,
		}
		if badID(f.id) != "" {
			return refused
		}
		state, err := tx.State(f.target.info, f.id)
		switch {
		case errors.Is(err, ErrNotFound):
			return refused
		case err != nil:
			return f.target.named(f.id, err)
		}
		if class, _ := f.target.info.Machine.Class(state); class == fsm.Final {
			refused.State = state
			return refused
		}
	}
	return nil
}

// RelationError: a resource would name another one that isn't there, or is in a final state. Nothing was done.
type RelationError struct {
	Kind, ID, Field      string    // who names it, by which field (JSON name)
	TargetKind, TargetID string    // what it names
	State                fsm.State // the final state that is in; "": it isn't there
}

func (e *RelationError) Error() string {
	why := fmt.Sprintf("there is no %s %.300q (create it first, or leave %s empty)", e.TargetKind, e.TargetID, e.Field)
	if e.State != "" {
		why = fmt.Sprintf("%s/%s is %q, which is final (name one that isn't, or leave %s empty)", e.TargetKind, e.TargetID, e.State, e.Field)
	}
	return fmt.Sprintf("resources: %s/%s: %s: %s", e.Kind, e.ID, e.Field, why)
}
