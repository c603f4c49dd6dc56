package resources

import (
	"errors"
	"github.com/cloudbus-go/cloudbus/bus"
)

var (
	ErrNotFound = errors.New("resources: not found")
	ErrExists   = errors.New("resources: exists already")
	ErrConflict = errors.New("resources: changed by somebody else meanwhile")
	ErrStale    = errors.New("resources: outcome of another operation")
	ErrInWriter = bus.ErrInWriter
)

// VetoError: a listener said no.
type VetoError struct {
	Listener, Kind, ID string
	Trigger            string
	Err                error
}

func (e *VetoError) Error() string { panic("unwritten") }
func (e *VetoError) Unwrap() error { return e.Err }

// InvalidError: bad input, by field.
type InvalidError struct {
	Kind, ID, Field, Reason string
}

func (e *InvalidError) Error() string { panic("unwritten") }

// UnknownError: a name that isn't there, and those that are.
type UnknownError struct {
	What, Name string // "kind"
	Known      []string
}

func (e *UnknownError) Error() string { panic("unwritten") }
