package main

import (
	"math"
	"slices"
)

// median returns the middle of xs, or the mean of the two in the middle; NaN if there are none.
func median(xs []float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(xs))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}

// percentile returns the smallest of xs that at least p percent of them don't exceed (nearest rank); NaN if there are none.
// It sorts xs.
func percentile(xs []float64, p float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	slices.Sort(xs)
	rank := int(math.Ceil(p / 100 * float64(len(xs))))
	return xs[min(max(rank, 1), len(xs))-1]
}

// medians returns the median of each column of rounds, which have the same length.
func medians(rounds [][]float64) []float64 {
	if len(rounds) == 0 {
		return nil
	}
	result := make([]float64, len(rounds[0]))
	for i := range result {
		column := make([]float64, len(rounds))
		for j, r := range rounds {
			column[j] = r[i]
		}
		result[i] = median(column)
	}
	return result
}
