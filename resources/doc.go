// Package resources keeps the lifecycle of every managed resource: it creates, moves and updates them, one change at a time, and tells
// listeners.
//
// A kind is a struct that embeds Object, and a machine (package fsm). Register adds it to an Engine, which stands on a Store and a bus:
//
//	vms, err := resources.Register[vm.VM](engine, vm.Machine)
//	v, err := vms.Create(ctx, vm.VM{...})
//	change, err := vms.Fire(ctx, v.ID, vm.StartRequested, resources.Actor("user:42"))
//
// Kind is the typed face of a kind, Handle the untyped one for HTTP, command lines and ingest. The engine knows no database: stores are
// resources/gormstore and resources/memstore, and whatever passes resources/storetest.
//
// # One change, one version, one event
//
// Each change of a resource raises its version by one, from 1 at its creation, without holes. A change posts at most one event of its
// own, whose ID is the change's, whose version is the resource's and whose snapshot is the resource after it. (listeners.Post posts it.)
//
// # All or nothing
//
// The row, what in-transaction listeners and With write, and all events are one member of the store's writer: all of it is committed, or
// nothing is. When Fire, Create or Update returns nil it is committed. An error that isn't about the caller having stopped waiting means
// that nothing was.
//
// # Two callers
//
// Of two callers who fire at one resource at once one moves it; the other is judged by the state that he finds then, and is moved on,
// told that nothing changes, or refused with what is allowed. A caller who is overtaken between reading and writing begins again, with
// guards and before-listeners, up to 8 times; then it is ErrConflict.
//
// # Nothing in vain
//
// A Same edge is a yes that writes nothing and posts nothing: the change is Unchanged. So is an Update that alters nothing. A call that
// brings Set or With and would change nothing is refused (ErrNoEffect): a yes that loses the arguments would be a lie.
//
// # Operations
//
// A resource that enters a transitional state is in an operation, named by the change that entered it (Object.Operation,
// Change.Operation). Another transitional state is another operation; a move to itself (a failed expunge) keeps state, since and
// operation; a steady state ends it, and the change says which it ended. An outcome that names an operation which isn't the resource's
// present one is a *StaleError and changes nothing.
//
// # Stuck
//
// A limit of a transitional state moves nothing: the driver may still be at work. While Engine.Run runs, a resource that is in such a
// state for longer is reported by an event <kind>.stuck (Stuck): at start-up and when due, again after each further limit, once for each
// whatever restarts and however many servers there are. Several limits that passed unnoticed are one report. Limit changes a kind's limits.
//
// # Purge
//
// Resources in a final state stay until Purge, or Run for a kind with PurgeAfter, removes them. A removal is a change like any other: it
// has a version, an event (<kind>.removed, with the resource as it was last) in the same transaction, and listeners, who may veto it.
//
// # Actions
//
// An action is what somebody does: Engine.Action records action.<kind>.<verb>.scheduled and .started, and later .succeeded or .failed
// (Acted), each in the transaction that opens or closes it. What is done with its context is caused by it. Each action has one end: the one
// that Done records, whatever becomes of its context, a panic included; or, if its process is gone, the one that the next process records, or
// another server within about a lease's length. Schedule and Start are the two halves of an action that waits in a queue.
//
// # Batches
//
// CreateBatch makes up to 1,000 resources in one transaction, each with its event: all of them or, with an error, none.
// Engine.FireBatch moves up to 1,000, of any kinds, behind those who wait for the writer: each move is a change of its own, and one that
// is refused or vetoed touches no other.
//
// # Time
//
// Times are UTC. A change happened when At says, or now. It never happened before its resource entered the state it is in: an earlier
// time is lifted to StateSince, and counted (Engine.Stats). StateSince rises with changes of state only, UpdatedAt with every change.
//
// # Listeners
//
// Listeners are asked in order: Begin before anything is read, to add to the call's context, Before on the caller's goroutine, InTx in
// the transaction, After when the outcome is known, exactly once for each call. An error of Before or InTx is a veto (*VetoError names the listener) and leaves neither row nor event. What listeners
// and With append carries time, actor and correlation of the change.
//
// # Relations
//
// A string field tagged cloudbus:"ref=<kind>" names another resource by its ID, or nothing (""). Create, CreateBatch, Update and a Fire
// with Set that make it name something new are refused with a *RelationError if that isn't there or is in a final state, in the
// transaction: no target reaches its end at the same moment. What a change leaves as it was isn't looked at, and a target may end while
// others name it: plugins/cascade is for what should follow from that, or forbid it. A relation to a kind that isn't registered isn't
// checked. Info.Relations lists relations, List goes by them as by any field, and Change.References tells listeners.
//
// # Reading in the transaction
//
// Listeners and With read other resources by their Tx: Resource and State lock what they read, so that a veto that rests on it still
// holds when the change is committed, on several servers too; Resources lists without a lock. All see what the transaction has written.
//
// # Failure stays where it is
//
// A panic of a listener, guard, Set, With, Validate or Moved changes nothing, and comes back as an error with its stack (*PanicError;
// guards: *fsm.GuardError); a panic in After is logged. A cancelled caller ends his own call only.
//
// # Inside the writer
//
// Create, Fire and Update with the context of a member (a listener's InTx, With, a handler of journal.Subscribe) return ErrInWriter at
// once: they would wait for themselves. Get and List are allowed, and see what is committed; Tx sees what the member has written.
//
// # The engine's fields
//
// ID, State, Origin, Operation, Version and the times belong to the engine; nobody else can alter them, not by Set, Update, Validate or
// Moved either. A resource in a final state can't be updated.
//
// # Copies
//
// Objects that go in and come out are the caller's. Nothing that he does with them later alters a row, a change or an event. Events and
// changes have no secrets: fields tagged cloudbus:"secret" are empty in them.
//
// # Memory
//
// The engine keeps nothing about a single resource: no lock, no machine, no goroutine, no timer, no cache.
package resources
