package status

import (
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Sizer is a sizer.
type Sizer struct{ sizer sizer }

// Next is next, with a writer that has had so many members.
func (s *Sizer) Next(foreground, background uint64, now time.Time) int {
	return s.sizer.next(bus.WriterStats{Members: foreground + background, Background: background}, now)
}

// Took is took.
func (s *Sizer) Took(n int, d time.Duration) { s.sizer.took(n, d) }
