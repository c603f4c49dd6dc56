package show

import (
	"fmt"
	"time"
)

// Clock writes times. The zero value writes UTC.
type Clock struct {
	Zone *time.Location
	Now  func() time.Time // Defaults to time.Now.
}

func (c Clock) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// Time writes a time to the millisecond, "" for the zero time.
func (c Clock) Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	layout := "2006-01-02 15:04:05.000 -0700"
	if c.zone() == time.UTC {
		layout = "2006-01-02 15:04:05.000Z"
	}
	return t.In(c.zone()).Format(layout)
}

// Second writes a time to the second, as lists do; "" for the zero time.
func (c Clock) Second(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	layout := "2006-01-02 15:04:05 -0700"
	if c.zone() == time.UTC {
		layout = "2006-01-02 15:04:05Z"
	}
	return t.In(c.zone()).Format(layout)
}

// layouts of a time without a zone, which is the clock's.
var layouts = []string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly}

// Parse reads a time as people write it: RFC 3339, without the zone, a date, or how long ago, as 90m. Error: one that says so.
func (c Clock) Parse(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, text, c.zone()); err == nil {
			return t, nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		now := time.Now
		if c.Now != nil {
			now = c.Now
		}
		return now().Add(-ago), nil
	}
	return time.Time{}, fmt.Errorf(`%q isn't a time (allowed: 2026-01-02T15:04:05Z, "2026-01-02 15:04", 2026-01-02, or how long ago: 90m)`, text)
}

// timeOf reads a time as JSON has it.
func timeOf(s string) (t time.Time, ok bool) {
	if len(s) < len("2006-01-02T15:04:05Z") || s[4] != '-' || s[10] != 'T' {
		return t, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t, err == nil
}
