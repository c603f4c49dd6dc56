// Package journal is the writer of a database and the durable log of events that lies in it.
//
// # The writer
//
// All that is written to a database is written by members of its one writer: Journal.Do runs a function as a member.
// What it writes and the events it appends are committed together, or nothing is. Members run one after the other, on their callers' goroutines.
// Callers that wait go first, in the order in which they came; a background member that waits gets at least every fourth place,
// or, where members take long, a fourth of the time.
//
// Members that wait at the same time share a transaction, and a commit; one that is alone commits at once. The failure of one touches no other:
// it is left out, or the transaction is rolled back and the others run again, from the beginning of their functions. What counts is the last time.
//
// A caller whose context ends while it waits for its turn leaves with ctx.Err(); its member never runs, or never counts.
// Once its turn has come a member runs to its end and the caller learns the true outcome:
// no statement runs with a caller's context, so a cancelled caller can't tear a transaction apart.
// The error is ErrOutcomeUnknown if the database doesn't say whether a commit took place, or if the context has ended and another member of the
// transaction keeps it from being committed for a fifth of Options.MemberLimit.
//
// A member that panics is rolled back and its caller gets a *bus.PanicError; one that ends its goroutine (runtime.Goexit) is rolled back.
// A member that takes longer than Options.MemberLimit is rolled back while it still runs, what it does later with its Tx is refused,
// and its caller gets ErrMemberTooLong when it returns. In each case everyone else goes on.
//
// What would wait for the writer from inside a member returns ErrInWriter at once, if it is called with the member's context.
//
// # The log
//
// Events appended by a member get consecutive numbers, without holes, in the order of the commits.
// An event that was appended by a member that failed never was.
//
// # Subscriptions
//
// Subscribe delivers exactly once: the handler's writes through its Tx and the cursor of the subscription commit together. An event that fails
// to the last is parked in the same transaction as the cursor behind it; what is replayed later is unparked together with the handler's writes.
//
// # Retention
//
// Events stay until Options.Retention says otherwise. The oldest go first, in small background members with pauses between them; what any
// cursor hasn't passed stays, and what is younger than the horizon. Numbers have no holes from the first that is left on.
// A cursor that nobody has claimed for 30 days stops holding, a week after a warning: Claims lists who holds what, Forget removes a cursor.
//
// # Presence
//
// A server that leaves something open in the database puts the name there that Presence gives it. Whoever finds such a name asks Present in the
// transaction that takes care of it: a server is there until its journal is closed, or hasn't answered for Options.Lease by the database's clock.
//
// # Migrations
//
// Journal.Migrate brings the tables of a component up to date; each component has a version table of its own.
// The journal's own component is called journal.
package journal
