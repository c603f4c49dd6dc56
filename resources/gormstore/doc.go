// Package gormstore keeps resources in a database, each kind in a table of its own with real columns, in the transactions of a journal.Journal.
//
// A kind is a gorm model. Its table comes from its own migrations (resources.Migrator), applied when the kind is registered;
// every column that the model needs must be there. Rows are read and written by statements that are prepared once for each kind;
// gorm says how a model maps to columns, and is there for everything else: DB gives a listener or a guest gorm on the transaction of a change.
//
// Times are stored as nanoseconds since 1970, by the serializer "unixnano".
//
// The package knows no driver; gormstore/sqlite opens a store.
package gormstore
