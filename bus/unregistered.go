package bus

import "slices"

const maxUnknown = 100 // types that one subscription tells of

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
