// Package cascade makes one change follow from another: a destroyed VM releases its NICs and detaches its data volumes, and a network
// isn't deleted while a NIC reserves an address in it. Both are rules, which are data: [Rule] says what follows, [Forbid] what excludes
// what. [DefaultRules] and [DefaultForbids] are those of the built-in kinds.
//
//	guard, err := cascade.NewGuard(cascade.DefaultForbids()...)
//	engine, err := resources.New(resources.Options{…, Listeners: []resources.Listener{listeners.Post(), guard}})
//	…                                                                   // register kinds
//	err = manager.Add(cascade.New(engine, cascade.Options{Guard: guard}))
//
// # Each consequence is a change
//
// A rule fires triggers, as any caller does: the machine decides, listeners may veto, and each consequence has an event of its own,
// whose causation is the event that it follows from and whose correlation is that event's. So the whole chain can be followed, and what
// follows from a consequence is part of it. The reason says "cascade <rule>: …". The actor is that of the cause.
//
// # No consequence is lost
//
// The plugin is a durable subscription (at least once): what a process that died left undone is done after the next start. Doing it
// twice does no harm, since a resource that has left the rule's states isn't found again. A new plugin begins at the journal's end: it
// doesn't judge the past.
//
// # Nothing is forgotten on its way
//
// A rule that finds resources by a relation holds while the cause is in its states (Rule.While), not only at the moment that it gets
// there. A NIC that is being reserved when its VM is destroyed is released when it has been; a volume that is being attached is detached.
// A rule that follows a relation has no such second moment: while its target is in a transitional state the event is tried again, and
// parked after the last try.
//
// # Nothing happens that shouldn't
//
// A consequence is fired if, in its own transaction, the cause still is in a state of While and the resource is as the rule found it.
// A VM that was recovered before anybody handled its destruction keeps its NICs.
//
// # Cycles end
//
// No rule is applied twice to one resource in a chain of causes, and no chain has more than Options.Depth consequences; what that stops
// is logged and counted. An operation that a rule began and that failed isn't begun anew by the same rule.
//
// # No silence
//
// What the machine refuses although the rule's states allow it (by a guard) is counted and logged. A veto, a conflict that doesn't end, a
// store that is away: these are errors of the handler, after all other consequences of the event had their turn; it is tried again, and
// parked after the last try. Metrics count, Health tells of what is parked.
package cascade
