package main

import (
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
)

func TestWitnessSeesWhatIsWrong(t *testing.T) {
	for name, tt := range map[string]struct {
		last uint64
		gap  bus.Gap
		seq  uint64
		ok   bool
	}{
		"the first":                 {0, bus.Gap{}, 7, true},
		"the next":                  {7, bus.Gap{}, 8, true},
		"again":                     {7, bus.Gap{}, 7, false},
		"an older one":              {7, bus.Gap{}, 3, false},
		"a gap in silence":          {7, bus.Gap{}, 10, false},
		"a gap that was announced":  {7, bus.Gap{Count: 2, FirstSeq: 8, LastSeq: 9}, 10, true},
		"a gap of another size":     {7, bus.Gap{Count: 1, FirstSeq: 8, LastSeq: 8}, 10, false},
		"a gap where there is none": {7, bus.Gap{Count: 1, FirstSeq: 7, LastSeq: 7}, 8, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := follows(tt.last, tt.gap, tt.seq); (err == nil) != tt.ok {
				t.Error(err)
			}
		})
	}
}
