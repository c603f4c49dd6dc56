package bus

import "time"

// ID identifies an event: 16 bytes in the shape of a UUID version 7 (RFC 9562), so that IDs sort by the time they were made.
// The zero ID means "none" and is written as the empty string.
type ID [16]byte

// NewID returns an ID for the time at, unique in this process and, by 42 random bits drawn at start, across processes.
func NewID(at time.Time) ID { panic("unwritten") }

// ParseID reads the 36-character form; the empty string is the zero ID.
func ParseID(s string) (ID, error) { panic("unwritten") }

func (id ID) String() string { panic("unwritten") }

// IsZero reports whether id is no ID at all.
func (id ID) IsZero() bool { return id == ID{} }

func (id ID) MarshalText() ([]byte, error)     { panic("unwritten") }
func (id *ID) UnmarshalText(text []byte) error { panic("unwritten") }

// Also to come: Scan and Value (database/sql), stored as text, NULL and "" are the zero ID.
