// Package gormstore keeps resources in a database, each kind in a table of its own with real columns, in the transactions of a journal.Journal.
//
// A kind is a gorm model. Its table comes from its own migrations (resources.Migrator), applied when the kind is registered;
// every column that the model needs must be there. Rows are read and written by statements that are prepared once for each kind;
// gorm says how a model maps to columns, and is there for everything else: DB gives a listener or a guest gorm on the transaction of a change.
//
// Times are stored as nanoseconds since 1970, by the serializer "unixnano".
//
// # Backups
//
// Store.Backup copies an SQLite database to a file while it is used; that file is a database. To restore it, stop the server and put the file
// in the place of the old one, whose -wal and -shm files go with it. A database that is older than what was read from it shows: a durable
// subscription, bridge or plugin elsewhere whose position is beyond the journal's end gets journal.ErrCursorPastEnd instead of passing over
// the events that will get those numbers again.
// Positions in the database itself are restored with it. PostgreSQL has pg_dump and continuous archiving.
//
// The package knows no driver: gormstore/sqlite opens a store for one server, gormstore/postgres one that several servers may share.
package gormstore
