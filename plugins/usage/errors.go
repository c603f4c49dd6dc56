package usage

import (
	"fmt"
	"strings"

	"github.com/cloudbus-go/cloudbus/bus"
)

// OptionError: Options are wrong. Init returns it.
type OptionError struct {
	Option string
	Reason string
}

func (e *OptionError) Error() string { return fmt.Sprintf("usage: Options.%s: %s", e.Option, e.Reason) }

// QueryError: a query asks for something that there isn't.
type QueryError struct {
	Field  string // as in the address: from, to, kind, meter, by, bucket, tz, format, …
	Value  string
	Reason string
	Known  []string // what it may be, if that can be listed
}

func (e *QueryError) Error() string {
	if e.Value == "" { // it isn't there
		return fmt.Sprintf("usage: query: %s %s", e.Field, e.Reason) + allowed(e.Known)
	}
	return fmt.Sprintf("usage: query: %s %q %s", e.Field, e.Value, e.Reason) + allowed(e.Known)
}

// CorrectionError: a correction that can't be entered.
type CorrectionError struct {
	Field  string // as in JSON: size.cpus
	Value  string
	Reason string
	Known  []string // what it may be, if that can be listed
}

func (e *CorrectionError) Error() string {
	if e.Value == "" { // it isn't there
		return fmt.Sprintf("usage: correction: %s %s", e.Field, e.Reason) + allowed(e.Known)
	}
	return fmt.Sprintf("usage: correction: %s %q %s", e.Field, e.Value, e.Reason) + allowed(e.Known)
}

// KeyError: the key of a correction is that of another one.
type KeyError struct {
	Key   string
	ID    bus.ID // of the entry that has the key
	Field string // in which the two differ
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("usage: correction: key %q is that of %s, which has another %s: a key stands for one correction", e.Key, e.ID, e.Field)
}

func allowed(known []string) string {
	if known == nil {
		return ""
	}
	return fmt.Sprintf(" (allowed: %s)", strings.Join(known, ", "))
}
