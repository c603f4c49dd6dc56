// Package listeners has the listeners that an engine comes with: Post, which turns each change into an event on the bus, and Audit,
// which writes each change and each refusal to a log. Funcs makes a listener from functions; For restricts one to some kinds.
//
// # The contract
//
// A listener (resources.Listener) watches resources change, from inside, in up to three phases:
//
//   - Before runs on the caller's goroutine, before the transaction, and may veto. It may run again for one change, and what it sees may
//     be overtaken: a veto that depends on other rows belongs in InTx.
//   - InTx runs in the transaction that carries the change, after the row is written. What it writes and appends is committed with the
//     change or not at all; its error vetoes. It holds up every other writer: no network, no waiting.
//   - After learns the outcome of each call, once, on the caller's goroutine. A crash between commit and After loses it: what must not
//     be lost is a durable subscription on the bus.
//
// An engine without Post posts nothing: that events exist is a listener's doing, and can be left out, replaced or refined.
package listeners
