// Package alerts is the plugin "alerts": it watches changes and says when something is wrong, once, until it's right again.
//
//	rules, err := alerts.ParseRules(text, alerts.Kinds(engine)...)
//	watch := alerts.New(alerts.Options{Rules: rules, Engine: engine})
//	err = manager.Add(watch)
//	…
//	active, _, err := watch.List(ctx, alerts.Query{Active: true})
//
// # Rules
//
// Rules are data ([Rule]): in Go, or in YAML ([ParseRules]), which tells all faults at once, each with its line. Without any a server has those of [DefaultRules]. Types:
//
// stuck: a resource has been in a transitional state for longer than the state's limit, as the engine reports it (resources.Stuck; the engine's Run must be
// running). Repeated after each further limit, cleared when the resource leaves the state. Limits are the machines', or what resources.Limit says.
//
// failure_rate: of the operations of a kind that ended within the window at least so many, and at least that part of them, failed. Cleared when the part has fallen
// well below (hysteresis), or no failure is left in the window. An operation ends when one of the machine's Succeed or Fail triggers takes a resource out of, or back into, a transitional
// state. Triggers narrow it to the operations that they begin, that is, to the states that they lead to.
//
// flapping: a resource has gone from one of the states to another more than so often within the window, whatever transitional states lie between: a VM that stops and starts flaps twice, one
// that fails to stop doesn't. Cleared when it has become rarer.
//
// capacity: a sum over resources (CPUs of running VMs, public addresses that are taken) has come to 75 % of another, or of a fixed amount; cleared at 70 %. One share for all, or one for each
// value of a field that both kinds have. As long as there is nothing to compare with (no host is up) it neither raises nor clears.
//
// host_down: a host, or another resource, has been in one of the states, or gone from one of them to another, for too long. Repeated after each further time.
//
// zombie: a report was refused by the resource's machine: a VM that is destroyed is said to run. It needs the listener listeners.Refusals. Cleared when no such report came within the window,
// or the resource has left the state.
//
// disagreement: a resource's own state and what a provider observes of it have disagreed for longer than a limit; cleared when they agree again. orphan: a provider has reported a resource
// for longer than a limit that isn't there; cleared when it is. Both need bridge/status, whose limits these are.
//
// event: events of a pattern came for a resource more than so often within the window. No rule is about alerts themselves: a pattern that could match one is refused.
//
// unclaimed: nobody has run a durable subscription for so long that the journal is about to stop keeping events for it (journal.Retention, which has to remove something). Raised,
// within a minute, by the journal's warning, repeated when the time has come, cleared when the subscription runs again, its position is moved, or journal.Forget has removed it.
// Its Kind is [SubscriptionKind], its ResourceID the subscription's name.
//
// parked: a durable subscription has set events aside that it can't handle (bus.Parked), such as a message that the bridge's broker will never take, or it has halted. Raised within a minute,
// repeated when the oldest of them is another, cleared when nothing is set aside any more (bus.Replay, bus.Discard) and it runs. Kind and ResourceID as of unclaimed.
//
// A rule that is disabled raises nothing, but keeps its books. Alerts of rules that are gone are cleared at the next start. All servers on a database should have the same rules.
//
// # Raise, repeat, clear
//
// A rule and a resource (or kind, or part of a kind) have at most one active alert. It's raised once; what would raise it again counts as a repeat; it's cleared once, at the latest when its
// resource is purged. Events: alert.<name>.raised, acknowledged, cleared ([Notice]). With [Rule].Renotify an alert that nobody has acknowledged is raised again after each such time, the event
// saying how often (Renotified).
//
// # Storms
//
// More than Above (20) active alerts of a rule about resources of a kind with a common cause (the same host_id, or zone_id), raised within a time, become a group: one alert with a count and
// its first members. Further ones are members too; they are kept, and listed by [Query].Group, but not told. If they have several causes, twice as many make a group for the whole kind.
// When few are left (Below) the group is cleared, once, and these are told. An alert that was told before it became a member is told when it's cleared.
//
// # Exactly once
//
// What a change does to alerts is written in the transaction that moves the plugin's position in the journal, its events included. A replay of the journal alters nothing.
//
// # Books
//
// Sums, and who is away since when, begin with the resources' tables, so they are right whatever the journal still has, and go on with the events. [Plugin.Verify] compares them with the
// tables, [Plugin.Rebuild] makes them anew.
//
// # Bounds
//
// Alerts are rows, none is kept in memory. Of a resource that may flap at most 1,001 times are kept, in one row, as long as one is within the window. Cleared alerts are forgotten after 90
// days, or when there are 100,000 later ones ([Options]); of each at most 100 notices are kept.
//
// # Time
//
// Deadlines count from the time the events give. Outcomes and changes older than the window are not counted: alerts are about now, whatever an import says about last year.
package alerts
