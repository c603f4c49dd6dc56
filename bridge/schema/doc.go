// Package schema tells consumers what is in events: a JSON Schema for each event type, made from the Go types that are registered on the bus, an AsyncAPI document
// of all of them, and a page on how to consume.
//
//	err = manager.Add(schema.New(engine, schema.Options{}))
//
// # Routes
//
//	GET /v1/schemas            the types there are, with what stands for many: {"schemas": [{"type": "vm.created", "schema": 1, "subject": …, "url": …}]}
//	GET /v1/schemas/{type}     the JSON Schema (draft 2020-12) of the data of a type's events; ?schema=2 for a certain one, else the newest
//	GET /v1/asyncapi.json      AsyncAPI 3.0
//	GET /v1/events/consuming   how to tell repeats, and keep order, in ten lines
//
// A bridge whose Options.Schemas is the URL of /v1/schemas/ names an event's schema in its attribute dataschema.
//
// # What the schemas say
//
// Fields have their JSON names; what is always there is required. States and triggers are those of the kind's machine, and in the schema of one type those that it is
// about: in vm.state.running, to is "running". Fields tagged secret aren't mentioned, and never hold anything. Other fields may come to be: consumers ignore what they don't know. A schema's
// number rises when something becomes incompatible, and its URL with it.
package schema
