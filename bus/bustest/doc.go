// Package bustest helps with tests of code that uses a bus.
//
//   - Record keeps what passes; Want, WantExactly and WantNone say what should have, and print the recorded timeline if it hasn't.
//   - Inject publishes and Settle waits until everyone has handled what was there, both failing the test on an error.
//   - MemJournal is a journal in memory, so that durable subscriptions can be tested without a database.
//   - Journal is the suite that every implementation of bus.Journal passes.
//
// All of it works inside testing/synctest: no timer of its own, no polling.
package bustest
