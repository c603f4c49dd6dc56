// Command crashtest kills a management server at random moments and then proves that nothing was lost.
//
// The server is a child process: 64 callers create, move and change VMs without pause; the usage plugin keeps its ledger; one
// subscriber counts every event in the database, exactly once; one writes a line per event to a file, at least once; two more do the
// same in a mood, refusing the events of other resources in each life, which are parked and replayed; the bridge publishes to a NATS
// server that lives in the parent; a janitor removes what is in its final state and makes backups. The child writes down each change
// that it was told is done. The parent kills it with SIGKILL, starts it again, and at the end lets it finish and close in good order.
// Then it checks:
//
//   - every acknowledged change is in the database: resource, version and event;
//   - the versions of each resource rise by one without holes, and each leads from the state that the one before led to;
//   - there is one row of the journal for each change, and the numbers have no holes;
//   - the ledger equals the one computed anew from the journal;
//   - the counting subscriber has had each event exactly once, in order;
//   - the file has each event at least once, in order per resource;
//   - so have those who were in a mood, per resource, with nothing left parked;
//   - the stream has each event once, in order per resource;
//   - the last backups are sound, each as of one moment;
//   - during each life a subscriber from the journal and a live one saw no event twice, none out of order, and no gap unannounced.
//
// The last line on standard output is the outcome as one JSON object. A violation comes with evidence: which resource, which numbers.
//
// With -inject the child does one thing wrong on purpose: lost acknowledges a change that was rolled back, twice counts an event twice,
// order writes two events of a resource in the wrong order. With -disk-full nothing is killed: the database runs out of room under load,
// callers get errors, room is made, and everything must hold; -read-only does that with a database that can't be written any more, and
// with one that can't be written from the start.
//
// Exit codes:
//
//	0  all holds
//	1  it doesn't, or the test could not run; the last line on standard error says why
//	2  wrong flags or arguments
package main
