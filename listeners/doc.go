// Package listeners has the listeners that an engine comes with: Post, which turns each change into an event on the bus, Audit,
// which writes each change and each refusal to a log, and Refusals, which records refused reports as events. ResultOf names how a call
// ended, in one word. Funcs makes a listener from functions; For restricts one to some kinds.
//
// # The contract
//
// A listener (resources.Listener) watches resources change, from inside, in up to four phases:
//
//   - Begin runs on the caller's goroutine, first, and may add to the context of all that follows: a trace's span, say.
//   - Before runs on the caller's goroutine, before the transaction, and may veto. It may run again for one change, and what it sees may
//     be overtaken: a veto that depends on other rows belongs in InTx.
//   - InTx runs in the transaction that carries the change, after the row is written. What it writes and appends is committed with the
//     change or not at all; its error vetoes. It holds up every other writer: no network, no waiting.
//   - After learns the outcome of each call, once, on the caller's goroutine. A crash between commit and After loses it: what must not
//     be lost is a durable subscription on the bus.
//
// listeners/metrics counts changes for Prometheus, listeners/trace makes spans of them for OpenTelemetry.
//
// An engine without Post posts nothing: that events exist is a listener's doing, and can be left out, replaced or refined.
package listeners
