package bridge

import "fmt"

// Mode is how a CloudEvent lies in a message.
type Mode int

const (
	// Structured puts the whole CloudEvent into the message's data, as JSON: it survives every way and every tool.
	Structured Mode = iota
	// Binary puts the event's data alone into the message's data, and the attributes beside it, into what the protocol has for headers: who routes or filters
	// by attributes needn't read the data.
	Binary
)

func (m Mode) String() string {
	switch m {
	case Structured:
		return "structured"
	case Binary:
		return "binary"
	}
	return fmt.Sprintf("Mode(%d)", int(m))
}

// MarshalText writes "structured" or "binary".
func (m Mode) MarshalText() ([]byte, error) {
	if m != Structured && m != Binary {
		return nil, &OptionError{Option: "Mode", Value: int(m), Reason: allowedModes}
	}
	return []byte(m.String()), nil
}

// UnmarshalText reads "structured" or "binary". Errors: *OptionError.
func (m *Mode) UnmarshalText(text []byte) error {
	switch string(text) {
	case "structured":
		*m = Structured
	case "binary":
		*m = Binary
	default:
		return &OptionError{Option: "Mode", Value: string(text), Reason: allowedModes}
	}
	return nil
}

const allowedModes = `must be "structured" or "binary"`
