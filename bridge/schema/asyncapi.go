package schema

import (
	"strconv"
	"strings"

	"github.com/cloudbus-go/cloudbus/bridge"
)

// object is a part of a JSON document.
type object = map[string]any

// asyncVersion is the one of AsyncAPI that the document is written in.
const asyncVersion = "3.0.0"

// AsyncAPI returns a document that describes all events, as a bridge sends them in structured mode: a channel, a message and an operation for each type. Schemas of data are references to
// /v1/schemas, relative to /v1/asyncapi.json.
func (s *Schemas) AsyncAPI(title string) map[string]any {
	channels, messages, operations := object{}, object{}, object{}
	for _, e := range s.List() {
		id := identifier(e)
		channels[id] = channel(e, id)
		messages[id] = message(e)
		operations["send."+id] = object{
			"action": "send", "channel": reference("channels", id), "messages": []any{object{"$ref": "#/channels/" + id + "/messages/event"}},
		}
	}
	channels["state"] = stateChannel()
	messages["state"] = object{
		"name": "state", "title": "The newest state of a resource", "contentType": bridge.ContentType, "payload": object{"$ref": "#/components/schemas/CloudEvent"},
		"description": "The newest event of the resource, or a snapshot (<kind>.snapshot); <kind>.removed: it is gone.",
	}
	operations["send.state"] = object{
		"action": "send", "channel": reference("channels", "state"), "messages": []any{object{"$ref": "#/channels/state/messages/event"}},
	}
	return object{
		"asyncapi": asyncVersion,
		"info": object{
			"title": title, "version": "1",
			"description": "Events about resources, as CloudEvents. How to consume them: /v1/events/consuming.",
		},
		"defaultContentType": bridge.ContentType,
		"channels":           channels,
		"operations":         operations,
		"components":         object{"messages": messages, "schemas": object{"CloudEvent": cloudEvent()}},
	}
}

func reference(parts ...string) object { return object{"$ref": "#/" + strings.Join(parts, "/")} }

// identifier names an entry within the document, where wildcards aren't allowed.
func identifier(e Entry) string {
	id := strings.NewReplacer("*", "any", ">", "rest").Replace(e.Type)
	if e.Schema > 1 {
		id += "-" + strconv.Itoa(e.Schema)
	}
	return id
}

func channel(e Entry, id string) object {
	parameters := object{"tenant": object{"description": "The tenant, bytes outside A-Z, a-z, 0-9 and - as =XX; _ is none."}}
	address := strings.Split(e.Type, ".")
	for i, token := range address {
		switch token {
		case "*":
			address[i] = "{token}"
			parameters["token"] = object{"description": "Any token."}
		case ">":
			address[i] = "{rest}"
			parameters["rest"] = object{"description": "One or more tokens."}
		}
	}
	return object{
		"address": bridge.Root + ".{tenant}." + strings.Join(address, "."), "parameters": parameters,
		"messages": object{"event": reference("components", "messages", id)},
	}
}

func stateChannel() object {
	return object{
		"address":     bridge.StateRoot + ".{tenant}.{kind}.{id}",
		"description": "One message for each resource, the newest: read it from the beginning to list, and go on to follow.",
		"parameters": object{
			"tenant": object{"description": "As of the other channels."}, "kind": object{"description": "Of the resource: vm."},
			"id": object{"description": "Of the resource, written as a tenant is."},
		},
		"messages": object{"event": reference("components", "messages", "state")},
	}
}

func message(e Entry) object {
	properties := object{}
	if !e.Pattern {
		properties["type"] = object{"const": e.Type}
		properties["data"] = object{"$ref": strings.TrimPrefix(e.URL, "/v1/")}
	}
	return object{
		"name": e.Type, "title": e.Type, "contentType": bridge.ContentType,
		"headers": object{"type": "object", "properties": object{"Nats-Msg-Id": object{"type": "string", "description": "The event's id."}}},
		"payload": object{"allOf": []any{reference("components", "schemas", "CloudEvent"), object{"properties": properties}}},
	}
}

// cloudEvent is the schema of all events around their data.
func cloudEvent() object {
	text := func(description string) object { return object{"type": "string", "description": description} }
	return object{
		"type": "object", "required": []any{"specversion", "id", "source", "type"},
		"properties": object{
			"specversion":     object{"const": "1.0"},
			"id":              object{"type": "string", "format": "uuid", "description": "The same at every repeat."},
			"source":          object{"type": "string", "format": "uri-reference", "description": "The server."},
			"type":            text("What happened: vm.state.running."),
			"subject":         text("The resource: vm/42."),
			"time":            object{"type": "string", "format": "date-time", "description": "When it happened."},
			"datacontenttype": object{"const": "application/json"},
			"dataschema":      object{"type": "string", "format": "uri", "description": "The JSON Schema of data."},
			"sequence":        object{"type": "string", "pattern": "^[0-9]{20}$", "description": "The place in the server's journal."},
			"tenant":          text("Whose resource it is."),
			"actor":           text("Who caused it: user:42."),
			"resourceversion": object{"type": "string", "pattern": "^[1-9][0-9]*$", "description": "Of the resource after the change: orders its events."},
			"schemaversion":   object{"type": "string", "pattern": "^[1-9][0-9]*$", "description": "The number of data's schema."},
			"correlationid":   text("Shared by all that one request caused."),
			"causationid":     text("The id of the event that caused this one."),
			"traceparent":     text("W3C trace context."),
			"data":            object{"description": "What happened, in full."},
		},
	}
}
