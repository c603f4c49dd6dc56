// Package amqpbridge is the RabbitMQ side of a bridge: a [Sink] that publishes events to a topic exchange, over AMQP 0-9-1.
//
//	sink, err := amqpbridge.New(amqpbridge.Options{URL: "amqps://cloudbus:secret@10.0.0.5:5671/"})
//	relay, err := bridge.New(sink, bridge.Options{Name: "rabbitmq"})
//
// # Messages
//
// A message's routing key is its subject, cloudbus.<tenant>.<type>; a queue is bound with [BindingKey], which writes a pattern of the bus as RabbitMQ's. It is
// persistent, its message-id is the event's id (RabbitMQ doesn't tell repeats by it: consumers do), its timestamp is when the event happened, in whole seconds as
// AMQP has them. The CloudEvent lies in it as the AMQP binding of CloudEvents says:
//
//   - structured: the body is the event, the content-type is application/cloudevents+json; charset=utf-8
//   - binary: the body is the event's data, the content-type is that of the data, and each attribute is a header "cloudEvents_<attribute>", all of them text
//
// That binding is written for AMQP 1.0 and allows the prefixes "cloudEvents_" and "cloudEvents:", the first by preference. RabbitMQ hands headers over as AMQP 1.0's
// application properties, and the other way round, so both would arrive; only the first is a legal name in AMQP 0-9-1, where names have letters, digits and
// underscores.
//
// A routing key has at most 255 bytes in AMQP. An event whose subject is longer (a tenant with a name of that length) is rejected for good, not shortened: a
// shortened key would match other bindings than the event's, and one of them may be another tenant's.
//
// # What a confirmation means
//
// Send returns nil when RabbitMQ has confirmed the message: each durable queue that is bound for it has it on disk, a quorum queue on a majority of its nodes. A
// message for which no queue is bound is confirmed too, and gone: bind queues before the bridge starts, give the exchange an alternate one, or set
// [Options].Mandatory. Then it is [ErrUnroutable], repeated until a queue takes it, and later events of the same resource wait for it.
//
// A queue that is full and set to refuse more (x-overflow reject-publish) is [ErrNack], and the message comes again.
//
// # Exchange
//
// It is called cloudbus, of type topic, durable; the sink declares it. One that exists and differs is an [*ExchangeError] in Health, and is looked at again every
// few seconds. A user who may not declare it can use one that is there.
//
// # Connection
//
// The sink connects in the background, and again and again for ever, at first after 50 ms, later every few seconds, also when the broker refuses its login; Health
// says why. While there is no connection, Send fails at once with [ErrAway].
//
// A broker short of memory or disk stops reading from those who publish. Then Send fails at once with a [*BlockedError], Ready waits, and events stay in the
// journal. What the broker had in its hands it takes later, and such a message isn't published again while its confirmation may still come.
//
// # Messages that can't be sent
//
// RabbitMQ answers a message that is too large (max_message_size, by default 16 MiB, before RabbitMQ 4 128 MiB) by ending the channel, with all that is under
// way on it, and doesn't name the message. The sink sends each of those again on a channel of its own: the one at fault is found and rejected for good, the others get
// through. A message that the sink's user may not publish (topic permissions) is handled the same way, but can be repeated: permissions change.
package amqpbridge
