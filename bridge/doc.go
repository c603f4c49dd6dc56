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
// An event that the broker will never take ([*RejectedError]: too large, say) or that can't be a CloudEvent ([*EncodeError]) is tried three times, then it is
// parked in the journal, and with it every later event of its resource: nothing is left out in silence, and order per resource stays. The other resources go
// on. Health is a [*ParkedError] meanwhile, which names them; plugins/alerts has a rule for it. When what was wrong has been set right, bus.Replay sends what is
// parked, in order. With 1,000 resources parked it isn't the events that are at fault: the next one halts the bridge ([*HaltedError]) until a restart.
//
// # Limits
//
// [Options].Lanes messages are under way at most, and [Options].Window bytes of them. What doesn't fit waits in the journal.
//
// # Figures
//
// [Bridge.Stats], and the plugin's metrics: sent, bytes, retries, rejected, parked, in_flight, lag, rate.
//
// # Inwards
//
// An [Inward] is the other direction: a plugin that takes events of other servers and components from a stream (over a [Transport]) into the journal, once each, as
// they were. What came in is never sent out again.
//
// # States
//
// With [Options].State a bridge sends states instead of events, to a sink that is a [StateKeeper]: for each event that says what a resource is, that event, on
// cloudbus-state.<tenant>.<kind>.<id> (see [StateSubject]), where it replaces the one before. So a consumer lists, by reading the stream from its beginning, and
// then follows, over the broker alone: each message's data.resource is the whole resource; a type <kind>.removed means that it is gone. At the start, and when the
// broker has lost what it kept, the states of all resources are sent, as events <kind>.snapshot: also of those that no event tells of any more. A newer state is
// never replaced by an older one ([Newer]). After the journal was restored from a backup its numbers may be lower than those in the stream: remove the stream then, and
// the bridge fills it again.
//
// # Close
//
// What is under way has two seconds to be acknowledged, so that it needn't be sent again. What waits for the broker stays in the journal.
//
// # Modes
//
// A message holds a CloudEvent in structured JSON ([Encode]); with [Options].Mode Binary its data alone, and the attributes beside it ([EncodeBinary]), which the
// sink writes as its protocol's binding says. [DecodeMessage] reads both.
//
// # Subjects
//
// An event is published on cloudbus.<tenant>.<type>, see [Subject]; the pattern vm.> of the bus is cloudbus.*.vm.> on the broker.
package bridge
