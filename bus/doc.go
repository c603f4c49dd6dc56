// Package bus is a typed event bus for one process: ordered, bounded, and honest about loss.
//
// A publisher fires and forgets. A live subscriber has a bounded queue of its own and is told what it missed.
// A durable subscriber reads a journal and gets every recorded event, in order, at least once.
// The bus is the in-memory end of a log, the journal is the rest of it, a subscriber is a position in that log.
//
//	b := bus.New(bus.Options{Source: "cloudbus/eu1"})
//	c := b.Client("billing")
//	sub, err := bus.Subscribe(c, func(ctx context.Context, e bus.Event[Started]) error { ... })
//	err = bus.Publish(ctx, c, Started{VM: "42"})
//
// Events are recorded or live. Recorded ones are appended to the journal by a transaction of whoever keeps it (package bus/journal,
// resources/memstore) and are shown when it has committed. Live ones are published: they have no number, no journal and no durable reader.
//
// The promises from Order to Inspection are proved by the tests whose names begin with their headings: TestOrder…, TestPublish…, and so on.
//
// # Order
//
// Recorded events reach each subscription in journal order; with Lanes, in journal order per resource; with Coalesce, which puts the newest event in the
// place of the one it replaces, per resource and type.
// Live events of one goroutine reach each subscription in the order of their publishing; with Lanes, per resource. (Events without a resource keep to one lane.)
// No order is promised between live and recorded events, nor between the live events of two goroutines.
//
// # Publish
//
// Publish runs no handler and waits for none, the policy Block aside. When it returns, the event is in the queue of each subscription
// that matches, or was dropped from it by that subscription's policy. Publishing and subscribing are legal inside a handler, whatever is full.
// Functions given to Where, OnUnhandled and Stamp run on the publisher's goroutine; a panic in Where or OnUnhandled stays there.
//
// # Bounds
//
// Each queue (of each lane) has a capacity and a policy. What is dropped is counted, logged once in a while with the subscription's name
// and where it was made, and announced to OnGap before the next event that follows. Queues grow as they are needed.
//
// # Durable
//
// A subscription with Durable reads the journal from a stored cursor, gets each recorded event that matches at least once, and slows nobody.
// The cursor is the scanned position: refused events move it too. It is stored at most 100 ms or 1,000 events late, with the journal's next
// transaction if one comes in time, and when the subscription ends. A position past the journal's end, stored or in From, is ErrCursorPastEnd.
// Who has caught up gets its events from memory (Options.TailEvents, TailBytes), who hasn't reads the journal by pages; none is lost or repeated between the two.
// A new name starts at the journal's end as of Subscribe (or at From), and that is stored at once.
// A subscription with From reads in the same way from where it is told, stores nothing, and gets live events as well.
// If retention has removed events that a subscription hadn't read, that is logged, counted as dropped, and announced to OnGap.
// Durable subscriptions never get live events: those that would match are counted, and logged once.
// A recorded event of a type that isn't registered reaches takers of Raw, and takers of any as Raw; others pass over it, which is logged once for
// each type: register types before subscribing. One of a registered type whose data
// don't decode counts as failed for who wants it, and isn't tried again. A durable subscription parks it; and also an event of a schema that isn't
// registered, if the type is its own, or of a type that its Type option names.
//
// On a journal that several servers share (Leaser) a durable name runs on one of them at a time; elsewhere the subscription stands by (Info.State),
// and takes over within seconds when that server is gone, at once when it was closed. Flush doesn't wait for what another server handles.
//
// # Exactly once
//
// SubscribeBatch hands events and the cursor after them to a function that stores both together. A batch that fails is halved until the
// culprit is alone; that one is retried, and then parked together with the cursor behind it (journal.Subscribe, or OnFailure(Park)), or halts the subscription.
//
// # Failure
//
// An error or a panic of a handler hits its own subscription alone: it is counted, logged (a panic with its stack), and retried as Retry says.
// After the last try a live subscription goes on with the next event (Skip). A durable one parks the event, and with it every later event of its
// resource, and goes on with the others: so order per resource is never broken. (An event that is about no resource is parked alone.) Bus.Parked lists
// what is parked, Bus.Replay hands it to the handler again, in order, Bus.Discard gives it up; when nothing of a resource is parked any more, it is free.
// With 1,000 resources parked the next one halts the subscription, and OnFailure(Halt) does so at the first: Err and inspection say why, the cursor
// stays before the culprit. The next event of the lane waits while one is retried. A handler that ends its goroutine (runtime.Goexit) has failed;
// its lane goes on in another one.
// Being handled when the process died counts as a try of a durable subscription, if the journal can keep that (AttemptKeeper). After an unclean end
// (the process was killed, or exited without closing the bus) each event that may have been in hand is noted in the journal before its handler is called;
// one at which the process has died as often as it may be tried is parked with a *DiedError, or halts. The first death isn't counted: nothing was noted
// before it. One that is suspected is handled alone in its subscription.
// A handler of a durable subscription that returns ErrOutage has not failed: the database has, and is waited for.
//
// # Unhandled
//
// Options.OnUnhandled is told of each event that nobody takes who says what he wants; takers of any and Raw don't count.
//
// # Close
//
// Subscription.Close doesn't wait: no handler starts after it has returned, and Done is closed when the last one has ended.
// Stop, returned by a handler, ends its own subscription. Client.Close and Bus.Close let live queues be worked off, let durable subscriptions
// finish the event at hand and store their cursor, wait until their context ends, and then report what was left (*LeftError).
// Called with the context of a handler that they would wait for they return ErrInHandler. Flush waits in the same way without ending anything.
// A handler's context is the bus's: it ends when Bus.Close has given up, and not with its subscription.
//
// # Inspection
//
// Bus.Inspect lists clients and subscriptions: filter, call site, depth, lag, what was delivered, dropped, coalesced, failed, the slowest
// handler, the age of the oldest queued event. A handler that runs longer than a bound (5 s, OnSlow, Options.SlowAfter), or an event that is
// queued longer, is a stall: it is logged once, and told to OnSlow, with the subscription, where it was made, the event at hand and since when;
// so is its end. Watching for it costs nothing while nobody is at work. A Tap shows all headers that pass and never makes anyone wait.
//
// # Faces
//
// Subscribe calls a handler. On the same queue, with the same filters and policies: Stream gives a loop (the event is done when the loop comes back,
// leaving the loop ends the subscription, gaps are error values), Channel something to select on, Once a handler for one event, Await the
// first event that matches, subscribed before what causes it is done.
//
// # Options
//
// Options that exclude each other are *OptionError at Subscribe:
//
//	                        live                live + From          Durable             SubscribeBatch
//	DropOldest, DropNewest  yes                 error                error               error
//	Coalesce                yes                 error                error               error
//	Block                   yes                 error                error               error
//	Lanes                   yes                 yes                  yes                 error
//	OnGap                   yes                 yes                  yes                 error
//	OnFailure(Skip)         yes                 yes                  error               error
//	OnFailure(Park)         error               error                yes                 yes
//	Linger                  error               error                error               yes
//	live events             yes                 yes                  never               never
//	a new name starts at    –                   –                    the end, or From    the end, or From
//
// Queue with the zero Policy sets the capacity alone, and goes with all but SubscribeBatch, where it has no effect.
//
// # Headers
//
// A header is stamped once per event. What a handler publishes, appends or fires with its context inherits the correlation and names its cause.
// It carries on the trace of its cause (TraceParent), or that of ContextWithTraceParent.
// Fields tagged cloudbus:"secret" and monotonic clock readings are taken out of payloads before an event goes anywhere, without changing the
// publisher's value. For each registered payload that is recorded, decode(encode(v)) = v.
package bus
