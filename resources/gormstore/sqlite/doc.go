// Package sqlite opens a gormstore.Store in an SQLite file: write-ahead log, synchronous=FULL, one connection that writes and several that read.
//
// A file belongs to one store at a time. Open takes a lock on the file <path>.lock, in which it writes who has it;
// the lock goes with the process, however it ends. The lock file itself stays.
package sqlite
