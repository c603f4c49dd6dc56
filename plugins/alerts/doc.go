// Package alerts is the plugin "alerts": it watches changes and says when something is wrong, once, until it's right again.
//
//	watch := alerts.New(alerts.Options{})
//	err := manager.Add(watch)
//	…
//	active, _, err := watch.List(ctx, alerts.Query{Active: true})
//
// # Rules
//
// stuck: a resource has been in a transitional state for longer than the state's limit, as the engine reports it (resources.Stuck; the engine's Run must be
// running). Repeated after each further limit, cleared when the resource leaves the state. Limits are the machines', or what resources.Limit says.
//
// failure_rate: of the operations of a kind that ended within the last minutes at least so many, and at least that part of them, failed. Cleared when the part has fallen
// well below (hysteresis), or no failure is left in the window. An operation ends when one of the machine's Succeed or Fail triggers takes a resource out of, or back into, a transitional state.
//
// unclaimed: nobody has run a durable subscription for so long that the journal is about to stop keeping events for it (journal.Retention, which has to remove something). Raised,
// within a minute, by the journal's warning, repeated when the time has come, cleared when the subscription runs again, its position is moved, or journal.Forget has removed it.
// Its Kind is [SubscriptionKind], its ResourceID the subscription's name.
//
// # Raise, repeat, clear
//
// A rule and a resource (or kind) have at most one active alert. It's raised once; what would raise it again counts as a repeat; it's cleared once.
// Raising and clearing are recorded as events alert.<name>.raised and alert.<name>.cleared ([Notice]).
//
// # Exactly once
//
// What a change does to alerts is written in the transaction that moves the plugin's position in the journal, its events included. A replay of the journal alters nothing.
//
// # Time
//
// Deadlines count from the time the events give. Outcomes older than the window are not counted: alerts are about now, whatever an import says about last year.
package alerts
