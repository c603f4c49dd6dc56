package usage

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const second = int64(time.Second)

// Amount is an exact sum of time. Nanoseconds in one integer would overflow after 292 years, which a few hundred machines use up in one.
type Amount struct {
	Seconds     int64 // from 0
	Nanoseconds int64 // from 0, below 1,000,000,000
}

// AmountOf returns d as an Amount; a negative d is 0.
func AmountOf(d time.Duration) Amount {
	return amount(0, max(0, int64(d)))
}

// amount brings a sum of seconds and a sum of nanoseconds together.
func amount(seconds, nanoseconds int64) Amount {
	return Amount{seconds + nanoseconds/second, nanoseconds % second}
}

// Add returns a + b.
func (a Amount) Add(b Amount) Amount {
	return amount(a.Seconds+b.Seconds, a.Nanoseconds+b.Nanoseconds)
}

// Duration returns a as a time.Duration, or the longest there is if a is longer.
func (a Amount) Duration() time.Duration {
	if a.Seconds > (math.MaxInt64-a.Nanoseconds)/second {
		return math.MaxInt64
	}
	return time.Duration(a.Seconds*second + a.Nanoseconds)
}

// String returns the exact number of seconds: 158.031.
func (a Amount) String() string {
	if a.Nanoseconds == 0 {
		return strconv.FormatInt(a.Seconds, 10)
	}
	return strings.TrimRight(fmt.Sprintf("%d.%09d", a.Seconds, a.Nanoseconds), "0")
}

// MarshalJSON writes the exact number of seconds.
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalJSON reads a number of seconds with at most nine decimals.
func (a *Amount) UnmarshalJSON(data []byte) error {
	whole, fraction, _ := strings.Cut(string(data), ".")
	seconds, err := strconv.ParseUint(whole, 10, 63)
	if err != nil || len(fraction) > 9 {
		return fmt.Errorf("usage: %q is no amount of seconds", data)
	}
	nanoseconds, err := strconv.ParseUint((fraction + "000000000")[:9], 10, 63)
	if err != nil {
		return fmt.Errorf("usage: %q is no amount of seconds", data)
	}
	*a = Amount{int64(seconds), int64(nanoseconds)}
	return nil
}
