package main

import "time"

// stamp is a time in nanoseconds since 1970; 0: there is none.
type stamp int64

// UnmarshalText reads RFC 3339.
func (s *stamp) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.RFC3339Nano, string(text))
	*s = stamp(t.UnixNano())
	return err
}
