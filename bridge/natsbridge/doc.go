// Package natsbridge is the NATS side of a bridge: a [Sink] that publishes events to a JetStream stream.
//
//	sink, err := natsbridge.New(natsbridge.Options{URL: "nats://10.0.0.5:4222", Connection: []nats.Option{nats.UserCredentials("cloudbus.creds")}})
//	relay, err := bridge.New(sink, bridge.Options{})
//
// # Messages
//
// A message lies on the subject cloudbus.<tenant>.<type> (bridge.Subject). Its body is a CloudEvent in structured JSON, its header has Content-Type
// application/cloudevents+json; charset=utf-8 and, as Nats-Msg-Id, the event's id: a stream drops what it is sent twice within its window for duplicates.
//
// # The stream
//
// It is called cloudbus, holds cloudbus.>, and keeps messages in files. If there is none the sink creates it. One that exists is used if it has these subjects,
// file storage, no retention by interest or as a work queue, acknowledges what it has written, and keeps it under the subject it was sent on; age and size
// limits are its owner's business. Any other is a [*StreamError] in Health, and is looked at again every second.
//
// # Connection
//
// The sink connects in the background, and again and again for ever, also when the broker refuses its credentials. While there is no connection, Send fails at once with
// [ErrAway] and what the connection said last; nothing is buffered in the client.
package natsbridge
