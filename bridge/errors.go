package bridge

import "fmt"

// OptionError: an option of a bridge or a sink that is wrong.
type OptionError struct {
	Option string // "Lanes"
	Value  any
	Reason string // what is allowed
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("bridge: option %s: %v: %s", e.Option, e.Value, e.Reason)
}
