package bridge

import (
	"errors"
	"fmt"
)

// ErrUsed: a bridge is for one manager, once.
var ErrUsed = errors.New("bridge: this bridge was started before: make another with New")

// OptionError: an option of a bridge or a sink that is wrong.
type OptionError struct {
	Option string // "Lanes"
	Value  any
	Reason string // what is allowed
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("bridge: option %s: %v: %s", e.Option, e.Value, e.Reason)
}

// EncodeError: an event that can't be a CloudEvent.
type EncodeError struct {
	ID        string // of the event
	Attribute string // of the CloudEvent: "source"; "data" for the payload
	Reason    string
}

func (e *EncodeError) Error() string {
	return fmt.Sprintf("bridge: event %s can't be a CloudEvent: %s %s", e.ID, e.Attribute, e.Reason)
}

// DecodeError: bytes that aren't a CloudEvent of ours.
type DecodeError struct {
	Attribute string // of the CloudEvent: "id"; "" if the fault is the whole's
	Reason    string
}

func (e *DecodeError) Error() string {
	if e.Attribute == "" {
		return "bridge: not a CloudEvent: " + e.Reason
	}
	return fmt.Sprintf("bridge: not a CloudEvent: %s %s", e.Attribute, e.Reason)
}
