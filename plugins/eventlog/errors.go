package eventlog

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNotFound: there is no event that was asked for by its id, or none of a chain.
var ErrNotFound = errors.New("eventlog: not found")

// errNotStarted: a method was called before the plugin was.
var errNotStarted = errors.New("eventlog: the plugin hasn't started")

// OptionError: options or configuration are wrong. Init returns it.
type OptionError struct {
	Option string // as in the configuration: retention[1].type
	Reason string
	Known  []string // what is allowed, if that can be listed
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("eventlog: option %s %s", e.Option, e.Reason) + allowed(e.Known)
}

// QueryError: a query asks for something that there isn't.
type QueryError struct {
	Field, Value, Reason string
	Known                []string // what it may be, if that can be listed
}

func (e *QueryError) Error() string {
	return fmt.Sprintf("eventlog: query: %s %q %s", e.Field, e.Value, e.Reason) + allowed(e.Known)
}

func allowed(known []string) string {
	if known == nil {
		return ""
	}
	return fmt.Sprintf(" (allowed: %s)", strings.Join(known, ", "))
}
