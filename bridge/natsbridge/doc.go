// Package natsbridge is the NATS side of a bridge: a [Sink] that publishes events to a JetStream stream.
//
//	sink, err := natsbridge.New(natsbridge.Options{URL: "nats://10.0.0.5:4222", Login: natsbridge.Login{Credentials: "cloudbus.creds"}})
//	relay, err := bridge.New(sink, bridge.Options{})
//
// # Messages
//
// A message lies on the subject cloudbus.<tenant>.<type> (bridge.Subject). Its body is a CloudEvent in structured JSON, its header has Content-Type
// application/cloudevents+json; charset=utf-8 and, as Nats-Msg-Id, the event's id: a stream drops what it is sent twice within its window for duplicates.
// In binary mode (bridge.Options.Mode) the body is the event's data, and the attributes are headers ce-<name>, percent-encoded (bridge.WriteHeader).
//
// A [Core] publishes the same messages without a stream: at least once up to the server, at most once beyond it.
//
// # The stream
//
// It is called cloudbus, holds cloudbus.>, and keeps messages in files. If there is none the sink creates it. One that exists is used if it has these subjects,
// file storage, no retention by interest or as a work queue, acknowledges what it has written, and keeps it under the subject it was sent on; age and size
// limits are its owner's business. Any other is a [*StreamError] in Health, and is looked at again every second.
//
// # What JetStream loses
//
// JetStream acknowledges a message before it has it on its disk. The sink is a bridge.Checkpointer: after each connect the bridge finds out whether the stream still has
// what it acknowledged, and sends again what is missing. A stream that was purged stays so; one that was made anew gets the events of the last ten minutes of sending.
//
// # States
//
// With [Options].State the stream is cloudbus-state: subjects cloudbus-state.<tenant>.<kind>.<id>, one message each, the newest. A consumer that delivers the last message
// per subject, or all, first lists all resources, then follows them. The message of a resource that is gone stays for a day.
//
// # Connection
//
// The sink connects in the background, and again and again for ever, also when the broker refuses its credentials. While there is no connection, Send fails at once with
// [ErrAway] and what the connection said last; nothing is buffered in the client. [Login] says who it is; a file of it that can't be used is an error of New, and
// one that is renewed is used from the next connection on.
//
// # Receiving
//
// A [Transport] carries letters between providers and servers: bridge.Inward and bridge/status stand on it. It joins a stream that has the subjects already, whoever
// owns it, or makes one.
//
// # Elsewhere
//
// [Remote] gives a process without a database a bus on which the code of plugins subscribes as on a server's, durable names included.
package natsbridge
