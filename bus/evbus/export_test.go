package evbus

// EventType is the type of a topic's events.
var EventType = eventType
