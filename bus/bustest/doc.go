// Package bustest helps with tests of code that uses a bus.
//
//		b, j := bustest.New(t)                          // or the bus of your own program
//		r := bustest.Record[vm.Changed](t, b)
//		...                                             // what is tested; or Inject, InjectRecorded
//		r.Want(bustest.Type[vm.Changed]("vm.state.*"), bustest.Resource[vm.Changed]("vm", "42"))
//
//	  - Record keeps what passes. Want (a sub-sequence), WantExactly and WantNone settle the bus and say what should have passed;
//	    Wait waits for what comes from outside of handlers. A failure prints the recorded timeline, with what was missed, and marks the fault.
//	  - Matchers are typed: Payload, PayloadThat, Type, Resource, Tenant, Actor, CausedBy, That; All, Either and Not combine them.
//	  - Inject publishes, InjectRecorded records; Settle waits until everyone has handled what was there, what handlers publish included;
//	    Healthy says that no handler has failed.
//	  - MemJournal is a journal in memory, so that durable subscriptions can be tested without a database.
//	  - Journal is the suite that every implementation of bus.Journal passes.
//
// All of it works inside testing/synctest: nothing polls, and limits are the bubble's time.
package bustest
