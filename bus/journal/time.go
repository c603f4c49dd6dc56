package journal

import (
	"fmt"
	"math"
	"time"
)

var (
	minTime = time.Unix(0, math.MinInt64)
	maxTime = time.Unix(0, math.MaxInt64)
)

// Nanoseconds is how times are stored in columns of 64 bits: since 1970, the zero time as 0.
// A time that they can't hold (they can the years 1678 to 2261) is an error.
func Nanoseconds(t time.Time) (int64, error) {
	if t.IsZero() {
		return 0, nil
	}
	if t.Before(minTime) || t.After(maxTime) {
		return 0, fmt.Errorf("journal: %s can't be stored (years 1678 to 2261 can)", t.Format(time.RFC3339))
	}
	return t.UnixNano(), nil
}

// TimeOf reads what Nanoseconds gave, in UTC; 0 is the zero time.
func TimeOf(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}
