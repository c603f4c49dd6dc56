package bus

import "slices"

const maxUnknown = 100 // types that one subscription tells of

// unknownOf says what becomes of an event of no registered type. A durable subscription wants it, and can't have it, if it has subscribed to
// such types by name, or if another schema of the type is one of its own; others pass over it.
func (in *inbox[T]) unknownOf(rec *Record) (wanted bool) {
	if in.sub.mode.stored() && !in.takesAll() && in.names(rec) {
		return in.sub.admitsType(rec.Type) && in.sub.admits(&rec.Header)
	}
	in.noteUnknown(rec)
	return false
}

func (in *inbox[T]) names(rec *Record) bool {
	own := false // some types are known to be this subscription's
	for _, reg := range *in.sub.bus.registry.all.Load() {
		if in.wantsType(reg) {
			own = true
			if reg.pattern.Match(rec.Type) {
				return true
			}
		}
	}
	return len(in.sub.patterns) > 0 && in.sub.admitsType(rec.Type) && (in.boxed || !own)
}

// noteUnknown logs, once for each type, that the subscription passes over an event which it may want: whoever registers the type later gets no second chance.
func (in *inbox[T]) noteUnknown(rec *Record) {
	key := typeKey{rec.Type, rec.Schema}
	if in.takesAll() || in.unknown[key] || len(in.unknown) == maxUnknown || !in.mayWant(rec) {
		return
	}
	if in.unknown == nil {
		in.unknown = make(map[typeKey]bool)
	}
	in.unknown[key] = true
	in.sub.bus.log.Warn("bus: a subscription passes over recorded events of a type that isn't registered: register types before subscribing",
		in.sub.attrs(&rec.Header, "schema", rec.Schema)...)
}

// mayWant reports whether an event of no registered type passes all filters that can be asked.
func (in *inbox[T]) mayWant(rec *Record) bool {
	own := in.sub.bus.registry.of(in.typ)
	fits := func(reg *registration) bool { return reg.pattern.Match(rec.Type) }
	if len(own) > 0 && !slices.ContainsFunc(own, fits) {
		return false
	}
	return in.sub.admitsType(rec.Type) && in.sub.admits(&rec.Header)
}
