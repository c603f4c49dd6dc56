package main

import (
	"encoding/json"
	"fmt"
)

// bar is what ours must reach.
type bar struct {
	sort  barSort
	limit float64
}

type barSort uint8

const (
	noBar    barSort = iota // for information
	faster                  // theirs/ours must be at least limit
	within                  // ours/theirs must be at most limit
	absolute                // ours must be at most limit
)

// ratio is what the bar compares; ok is false if there is nothing to compare with, or nothing to divide by.
func (b bar) ratio(ours float64, theirs *float64) (ratio float64, ok bool) {
	if theirs == nil {
		return 0, false
	}
	above, below := *theirs, ours
	if b.sort == within {
		above, below = below, above
	}
	return above / below, below != 0
}

// met reports whether ours reaches the bar. Figures that aren't numbers don't.
func (b bar) met(ours float64, theirs *float64) bool {
	switch b.sort {
	case noBar:
		return true
	case absolute:
		return ours <= b.limit
	}
	ratio, ok := b.ratio(ours, theirs)
	if b.sort == faster {
		return ok && ratio >= b.limit
	}
	return ok && ratio <= b.limit
}

func (b bar) String() string {
	switch b.sort {
	case faster:
		return fmt.Sprintf(">= %.2fx", b.limit)
	case within:
		return fmt.Sprintf("<= %.2fx", b.limit)
	case absolute:
		return fmt.Sprintf("<= %g", b.limit)
	default:
		return ""
	}
}

// MarshalJSON writes the bar as in the table.
func (b bar) MarshalJSON() ([]byte, error) { return json.Marshal(b.String()) }
