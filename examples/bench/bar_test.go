package main

import (
	"math"
	"testing"
)

func TestVerdict(t *testing.T) {
	of := func(x float64) *float64 { return &x }
	for _, c := range []struct {
		name   string
		bar    bar
		ours   float64
		theirs *float64
		want   string
	}{
		{"no bar", bar{}, 100, of(1), ""},
		{"faster than asked", atLeast(2), 10, of(30), "ok"},
		{"as fast as asked", atLeast(2), 10, of(20), "ok"},
		{"not as fast", atLeast(2), 10, of(19), "SHORT"},
		{"slower, and allowed to be", atLeast(0.6), 10, of(6), "ok"},
		{"too slow", atLeast(0.6), 10, of(5.9), "SHORT"},
		{"within", atMost(1.5), 15, of(10), "ok"},
		{"cheaper", atMost(1.5), 5, of(10), "ok"},
		{"not within", atMost(1.5), 15.1, of(10), "SHORT"},
		{"at the limit", limit(4), 4, nil, "ok"},
		{"above the limit", limit(0), 0.001, nil, "SHORT"},
		{"no figure of theirs", atLeast(1), 1, nil, "SHORT"},
		{"no figure of ours", atLeast(1), math.NaN(), of(1), "SHORT"},
		{"no figure of ours, within", atMost(1), math.NaN(), of(1), "SHORT"},
		{"no figure of ours, limit", limit(1), math.NaN(), nil, "SHORT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (row{bar: c.bar, ours: c.ours, theirs: c.theirs}).verdict(); got != c.want {
				t.Errorf("verdict is %q, want %q", got, c.want)
			}
		})
	}
}
