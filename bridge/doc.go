// Package bridge republishes the recorded events of a bus to a broker, as CloudEvents.
//
//	sink, err := natsbridge.New(natsbridge.Options{URL: "nats://10.0.0.5:4222"})
//	relay, err := bridge.New(sink, bridge.Options{Types: []string{"vm.>", "volume.>"}})
//	err = manager.Add(relay)
//
// A [Bridge] is a plugin: a durable subscription that encodes each event with [Encode] and hands it to a [Sink], the broker's side. Live events aren't sent.
//
// # At least once
//
// An event counts as sent when the broker has acknowledged that it keeps it for good. The bridge's place in the journal covers nothing else, so after a crash it
// goes on where it was: nothing is lost, and the little that is sent again carries the same id ([Message].ID), by which a broker or a consumer tells it.
//
// # Order
//
// Events of one resource reach the broker in their order: there is at most one message under way for each resource, the next follows the acknowledgement. Messages
// about different resources are under way at the same time, up to [Options].Lanes, and overtake one another. A consumer sees the order of a resource in the
// extension resourceversion, that of the journal in sequence.
//
// # Broker away
//
// Events wait in the journal; the server doesn't notice. Start-up doesn't wait for the broker, neither does Close. A send that fails is repeated for ever, at
// first after 50 ms, later every few seconds, at once when the sink says that the broker is back ([Readier]). Health is an [*AwayError] meanwhile: since when,
// how far behind, and why. The outage is logged once, and so is its end.
//
// # Events that can't be sent
//
// An event that the broker will never take ([*RejectedError]: too large, say) or that can't be a CloudEvent ([*EncodeError]) is tried three times, then the
// bridge halts before it: nothing is left out in silence. Log and Health ([*HaltedError]) name the event. When what was wrong has been set right, a restart
// goes on with it.
//
// # Close
//
// What is under way has two seconds to be acknowledged, so that it needn't be sent again. What waits for the broker stays in the journal.
//
// # Subjects
//
// An event is published on cloudbus.<tenant>.<type>, see [Subject]; the pattern vm.> of the bus is cloudbus.*.vm.> on the broker.
package bridge
