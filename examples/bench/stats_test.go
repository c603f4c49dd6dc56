package main

import (
	"math"
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	for name, c := range map[string]struct {
		xs   []float64
		want float64
	}{
		"one":              {[]float64{7}, 7},
		"odd, unsorted":    {[]float64{9, 1, 5}, 5},
		"even":             {[]float64{4, 1, 3, 2}, 2.5},
		"outliers":         {[]float64{1, 1, 1, 1000, 2000}, 1},
		"equal":            {[]float64{3, 3}, 3},
		"infinite outlier": {[]float64{1, math.Inf(1), 2}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			before := slices.Clone(c.xs)
			if got := median(c.xs); got != c.want {
				t.Errorf("median(%v) = %v, want %v", c.xs, got, c.want)
			}
			if !slices.Equal(before, c.xs) {
				t.Errorf("the samples were reordered: %v", c.xs)
			}
		})
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median of nothing = %v", got)
	}
}

func TestPercentileIsTheNearestRank(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	for name, c := range map[string]struct {
		xs      []float64
		p, want float64
	}{
		"p50 of 100":  {hundred, 50, 50},
		"p99 of 100":  {hundred, 99, 99},
		"p100 of 100": {hundred, 100, 100},
		"p0 of 100":   {hundred, 0, 1},
		"p99 of one":  {[]float64{3}, 99, 3},
		"p50 of two":  {[]float64{2, 1}, 50, 1},
		"p51 of two":  {[]float64{2, 1}, 51, 2},
		"p99.9 of 5":  {[]float64{1, 2, 3, 4, 5}, 99.9, 5},
	} {
		if got := percentile(slices.Clone(c.xs), c.p); got != c.want {
			t.Errorf("%s = %v, want %v", name, got, c.want)
		}
	}
	if got := percentile(nil, 50); !math.IsNaN(got) {
		t.Errorf("percentile of nothing = %v", got)
	}
}

func TestMediansAreThoseOfEachFigure(t *testing.T) {
	got := medians([][]float64{{1, 30}, {2, 10}, {9, 20}})
	if want := []float64{2, 20}; !slices.Equal(got, want) {
		t.Errorf("medians = %v, want %v", got, want)
	}
}
