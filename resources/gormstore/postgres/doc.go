// Package postgres opens a gormstore.Store in a PostgreSQL database, which several servers may share: one connection that writes, several that read,
// and one that listens for the news of the other servers.
//
// # Several servers
//
// Each server opens the same database (and schema). Events are numbered in the order of the commits of all of them, without holes, and each server's bus
// shows the others' events too, once, in order: it hears of them by LISTEN and NOTIFY, and finds them by polling where that fails.
// A durable name runs on one server at a time, by a lease (bus.Leaser).
//
// # Trouble
//
// A connection that is lost is opened again. What was being written then has the error journal.ErrUnavailable, and nothing of it was committed;
// or, if it broke off during COMMIT, journal.ErrOutcomeUnknown. Deadlocks and serialization failures are tried again.
//
// PostgreSQL stores no zero bytes in texts: what would store one is refused with journal.ErrText, and touches nothing else.
package postgres
