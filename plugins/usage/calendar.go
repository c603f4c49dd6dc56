package usage

import (
	"time"
)

// Lengths of a bucket.
const (
	ByHour  = "hour"
	ByDay   = "day"
	ByMonth = "month"
)

var buckets = []string{ByHour, ByDay, ByMonth}

// calendar cuts a window into buckets, by the local clock of a place.
type calendar struct {
	length string // ByHour, ByDay, ByMonth
	zone   *time.Location
}

// cut returns the bounds of the buckets that [from, to) is cut into: n of them have n+1 bounds. It gives up behind limit buckets.
//
// A day begins when its date first shows on the local clock, so one lasts 23 hours, or 25, where clocks are put forward or back; a date that a place has skipped is no day.
// Hours are counted from the beginning of their day, the last one is shorter where clocks move by less than an hour. So days make up months, and hours days, without a gap.
func (c calendar) cut(from, to time.Time, limit int) (bounds []time.Time, ok bool) {
	from, to = from.In(c.zone), to.In(c.zone)
	bounds = append(bounds, from)
	for t := from; t.Before(to); {
		if len(bounds) > limit {
			return bounds, false
		}
		if t = c.next(t); t.After(to) {
			t = to
		}
		bounds = append(bounds, t)
	}
	return bounds, true
}

// next returns the first bound after t.
func (c calendar) next(t time.Time) time.Time {
	year, month, day := t.Date()
	switch c.length {
	case ByMonth:
		return c.after(t, year, month+1, 1)
	case ByDay:
		return c.after(t, year, month, day+1)
	}
	begin, end := c.begin(year, month, day), c.after(t, year, month, day+1)
	next := begin.Add(t.Sub(begin).Truncate(time.Hour) + time.Hour)
	if end.Before(next) {
		return end
	}
	return next
}

// after returns the beginning of a date, or of the first one behind it that begins after t: where clocks are put back over midnight, a date shows again.
func (c calendar) after(t time.Time, year int, month time.Month, day int) time.Time {
	for {
		if begin := c.begin(year, month, day); begin.After(t) {
			return begin
		}
		if c.length == ByMonth {
			month++
		} else {
			day++
		}
	}
}

// begin returns the moment at which a date first shows on the local clock, or a later one if the place has skipped it. (time.Date returns either of two moments where midnight
// comes twice, and one of the day before where it doesn't come.)
func (c calendar) begin(year int, month time.Month, day int) time.Time {
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	t := midnight.Add(-26 * time.Hour).In(c.zone) // no clock is that far ahead
	for {
		_, end := t.ZoneBounds()
		_, offset := t.Zone()
		if at := midnight.Add(-time.Duration(offset) * time.Second).In(c.zone); at.After(t) {
			t = at
		}
		if end.IsZero() || t.Before(end) {
			return t
		}
		t = end
	}
}

// zone returns the time zone of a name; *QueryError.
func zone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	reason := "is no time zone of the IANA database, such as UTC or Europe/Berlin"
	if name != "Local" { // Local is the server's own, which says nothing to whoever asks
		z, err := time.LoadLocation(name)
		if err == nil {
			return z, nil
		}
		if _, err := time.LoadLocation("Europe/Berlin"); err != nil {
			reason = "is unknown: this machine has no database of time zones (a program that imports time/tzdata brings its own)"
		}
	}
	return nil, &QueryError{Field: "tz", Value: name, Reason: reason}
}
