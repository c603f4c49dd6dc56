package usage

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const second = int64(time.Second)

// Amount is an exact sum of time. Nanoseconds in one integer would overflow after 292 years, which a few hundred machines use up in one. What is metered is never below 0;
// corrections may be, and then both fields are (or are 0).
type Amount struct {
	Seconds     int64
	Nanoseconds int64 // between -1,000,000,000 and 1,000,000,000
}

// AmountOf returns d as an Amount.
func AmountOf(d time.Duration) Amount { return amount(0, int64(d)) }

// amount brings a sum of seconds and a sum of nanoseconds together.
func amount(seconds, nanoseconds int64) Amount {
	a := Amount{seconds + nanoseconds/second, nanoseconds % second}
	switch {
	case a.Seconds > 0 && a.Nanoseconds < 0:
		a.Seconds, a.Nanoseconds = a.Seconds-1, a.Nanoseconds+second
	case a.Seconds < 0 && a.Nanoseconds > 0:
		a.Seconds, a.Nanoseconds = a.Seconds+1, a.Nanoseconds-second
	}
	return a
}

// between is the time from one moment to another one; it may be longer than a Duration.
func between(from, to int64) Amount {
	return amount(to/second-from/second, to%second-from%second)
}

// Add returns a + b.
func (a Amount) Add(b Amount) Amount {
	return amount(a.Seconds+b.Seconds, a.Nanoseconds+b.Nanoseconds)
}

// Neg returns -a.
func (a Amount) Neg() Amount { return Amount{-a.Seconds, -a.Nanoseconds} }

// times returns n times a, for up to 9,000,000,000 intervals.
func (a Amount) times(n int64) Amount { return amount(a.Seconds*n, a.Nanoseconds*n) }

// Duration returns a as a time.Duration, or the longest there is if a is longer, to either side.
func (a Amount) Duration() time.Duration {
	switch {
	case a.Seconds > 0 && a.Seconds > (math.MaxInt64-a.Nanoseconds)/second:
		return math.MaxInt64
	case a.Seconds < 0 && a.Seconds < (math.MinInt64-a.Nanoseconds)/second:
		return math.MinInt64
	}
	return time.Duration(a.Seconds*second + a.Nanoseconds)
}

// String returns the exact number of seconds: 158.031.
func (a Amount) String() string {
	if a.Nanoseconds == 0 {
		return strconv.FormatInt(a.Seconds, 10)
	}
	sign := ""
	if a.Seconds < 0 || a.Nanoseconds < 0 {
		sign = "-"
	}
	return sign + strings.TrimRight(fmt.Sprintf("%d.%09d", absolute(a.Seconds), absolute(a.Nanoseconds)), "0")
}

func absolute(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// MarshalJSON writes the exact number of seconds.
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalJSON reads a number of seconds with at most nine decimals.
func (a *Amount) UnmarshalJSON(data []byte) error {
	whole, fraction, dot := strings.Cut(string(data), ".")
	whole, minus := strings.CutPrefix(whole, "-")
	seconds, err := strconv.ParseUint(whole, 10, 63)
	if err != nil || len(fraction) > 9 || dot && fraction == "" {
		return notSeconds(data)
	}
	nanoseconds, err := strconv.ParseUint((fraction + "000000000")[:9], 10, 63)
	if err != nil {
		return notSeconds(data)
	}
	*a = Amount{int64(seconds), int64(nanoseconds)}
	if minus {
		*a = a.Neg()
	}
	return nil
}

func notSeconds(data []byte) error {
	return fmt.Errorf("usage: %.40q is no amount of seconds (with at most nine decimals, such as 158.031)", data)
}
