package usage

import (
	"fmt"
	"strings"
)

// OptionError: Options are wrong. Init returns it.
type OptionError struct {
	Option string
	Reason string
}

func (e *OptionError) Error() string { return fmt.Sprintf("usage: Options.%s: %s", e.Option, e.Reason) }

// QueryError: a query asks for something that there isn't.
type QueryError struct {
	Field  string // From, To, Kind, Meter, By, Format
	Value  string
	Reason string
	Known  []string // what it may be, if that can be listed
}

func (e *QueryError) Error() string {
	s := fmt.Sprintf("usage: query: %s %q %s", e.Field, e.Value, e.Reason)
	if e.Known != nil {
		s += fmt.Sprintf(" (allowed: %s)", strings.Join(e.Known, ", "))
	}
	return s
}
