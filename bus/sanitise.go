package bus

import "reflect"

type plan struct{}

func planFor(reflect.Type, bool) *plan { return nil }

func (p *plan) sanitise(reflect.Value) error { return nil }

func checkJSON(reflect.Type) error { return nil }

func (t *topic[T]) sanitise(v *T) error { return t.plan.sanitise(reflect.ValueOf(v).Elem()) }
