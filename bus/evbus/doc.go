// Package evbus is the API of github.com/asaskevich/EventBus on a [bus.Bus]: code written for that library runs unchanged,
// without its global lock, its deadlocks and the panics that end the process. It also links the two kinds of bus.
//
//	b := bus.New(bus.Options{})
//	var events EventBus.Bus = evbus.New(b, evbus.Options{}) // was: EventBus.New()
//
// Synchronous handlers run on the publisher's goroutine, in the order of subscribing. An asynchronous handler is a subscription of the bus:
// it has a bounded queue and a goroutine of its own, is named with its call site in what the bus logs and inspects, and slows nobody.
// No lock is held while a handler runs; publishing takes none but those of the queues.
//
// # What is the same
//
// The table of TestConformance runs on both: topics are any strings, handlers any funcs; nil is the zero value of its parameter; arguments need
// only be assignable; results are ignored (an error as last result counts as failure); a handler subscribed twice runs twice; a once is removed
// before it runs; Publish doesn't wait for asynchronous handlers, WaitAsync does, and for what they publish; transactional handlers take one call
// at a time, in order; calls that were published before Unsubscribe run.
//
// # What differs
//
//	                                    the original                             here
//	publish, subscribe, unsubscribe     deadlock in a synchronous handler        work; a handler that is unsubscribed isn't started,
//	or ask from a handler                                                        one that is new gets the next call
//	a slow synchronous handler          holds up all topics and Subscribe        holds up its publisher
//	once, published at once             may run twice, or remove another         runs once
//	a panic in a handler                reaches the publisher; ends the          counted, logged with its stack;
//	                                    process if asynchronous                  the other handlers run
//	wrong arguments                     panic as above, the first time           counted, logged; ErrSignature at Subscribe if no
//	                                                                             arguments but nil suit the topic's handlers
//	nil handler                         panic                                    ErrHandler
//	nil among variadic arguments        panic, or the slice's nil                zero value of the element
//	unsubscribing what isn't there      nil if the topic has any handler         ErrNotSubscribed
//	one of two method values            removes the older, whatever the          removes the one of that receiver
//	                                    receiver
//	asynchronous calls                  a goroutine each: no order, no bound     in order, one at a time for a handler; with
//	                                                                             Options.Workers that many, in no order
//	a full queue                        none                                     Options.Policy: by default the oldest call is lost,
//	                                                                             counted and logged
//	transactional                       Publish waits for the call before        Publish doesn't wait
//	asynchronous among synchronous      starts at its place                      all start at the place of the first of them
//	publisher's slice (args...)         read later by asynchronous handlers      the publisher's again when Publish returns
//
// An asynchronous handler whose call waits for another call of the same handler needs Workers.
// WaitAsync, called by an asynchronous handler, waits for itself in both; Wait has a context.
//
// # Which handler Unsubscribe means
//
// Go can't compare functions, and closures made by one piece of code share its address. Of a topic's handlers of the same type Unsubscribe takes
//   - the oldest that is this very func value (a variable that holds it, a top-level function), or this method of this pointer
//     (x.Method, written anew each time, but not of generic types);
//   - else the only one that has this code and may have captured something else: a closure, a method of a value or of a generic type.
//     If there are several it is ErrAmbiguous: keep the func value in a variable, and unsubscribe that.
//
// Functions made by reflection are only found by their value.
//
// # Speed
//
// Handlers of the common signatures, func(), func(string), func(any) and others, are called directly, the rest by reflection, prepared at
// Subscribe. [Direct] adds a type of one's own.
//
// # Links
//
// [Connect] links an EventBus.Bus of somebody else's with a bus: [Forward] publishes events there, [Link.Receive] makes events of what is
// published there. What came from one side doesn't go back: received events bear the link's source, which Forward leaves out; and Receive knows
// the calls that its own link makes by their goroutine, for handlers of Subscribe run on it and arguments must arrive unchanged. So a foreign
// handler that answers, on that goroutine, with another Publish to the very topic is taken for an echo. Rings of more than one link aren't recognised.
package evbus
