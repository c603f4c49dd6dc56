// Package fsm keeps the lifecycle of a kind of resource as a table: checked once, compiled once, shared by all.
//
// A [Spec] lists edges (from, trigger, to, guard). [New] checks it and makes a [Machine]. A machine holds no state: a
// resource holds its state and its origin, and [Machine.Next] says what a trigger does to it. So one machine serves
// millions of resources, and any number of goroutines.
//
// # States
//
// A state with a limit is transitional: something is being done, and it may take that long. The others are steady, or
// final if nothing comes after them. A limit moves nothing by itself: whoever watches reports what overstays it.
//
// # Origin
//
// The origin is the steady state that a resource left for the transitional one it is in. It is set on leaving a steady
// state, carried from one transitional state to the next, and cleared on arrival in a steady or final one. An edge to
// [Origin] leads back to it, so that a failed migration of a running machine ends in running and that of a stopped one
// in stopped.
//
// # Same, and moves to oneself
//
// An edge to [Same] accepts its trigger and does nothing: there is no move and no news. It makes repeats and late reports
// harmless. An edge to the state it comes from is a move to itself: news, though the resource stays where it is.
//
// # Guards
//
// Several edges for one (from, trigger) are told apart by guards ([If]). They are asked in the order of their declaration,
// the first that holds wins, and the last edge may have none. A guard that panics or is given a wrong subject is a
// [*GuardError], never a panic.
//
// # Faults
//
// All faults of a Spec are listed at once, in a [*SpecError]: names that are no names or reserved; lists that are empty or
// name something twice; two edges for one (from, trigger) that guards don't tell apart; states that no walk over
// (state, origin) from an initial one reaches; [Origin] where there can be none; final states that lead on; steady states
// without an exit or without a way to a final state, unless the machine is endless; transitional states without an exit on
// success, an answer to failure, or a way to a steady or final state; limits that aren't positive or belong to no state.
//
// # Refusals
//
// A trigger that isn't allowed is a [*TransitionError] that names those that are. A name the machine doesn't have is an
// [*UnknownError] that names those it has.
//
// # Drawings
//
// [Machine.Mermaid], [Machine.DOT] and [Machine.Table] draw a machine, with the state a resource is in marked if wanted.
//
// # Looplab
//
// [FromLooplab] reads tables written for github.com/looplab/fsm, [Machine.Looplab] hands out a live machine of that
// library; both make the same moves.
package fsm
