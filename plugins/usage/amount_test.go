package usage_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/plugins/usage"
)

func TestAmount(t *testing.T) {
	for _, c := range []struct {
		amount usage.Amount
		json   string
		length time.Duration
	}{
		{usage.Amount{}, `0`, 0},
		{usage.AmountOf(158031 * time.Millisecond), `158.031`, 158031 * time.Millisecond},
		{usage.AmountOf(1), `0.000000001`, 1},
		{usage.AmountOf(-1), `-0.000000001`, -1},
		{usage.AmountOf(-1500 * time.Millisecond), `-1.5`, -1500 * time.Millisecond},
		{usage.AmountOf(2 * time.Second).Add(usage.AmountOf(-2500 * time.Millisecond)), `-0.5`, -500 * time.Millisecond},
		{usage.AmountOf(-2 * time.Second).Add(usage.AmountOf(2500 * time.Millisecond)), `0.5`, 500 * time.Millisecond},
		{usage.AmountOf(2 * time.Second).Add(usage.AmountOf(-1)), `1.999999999`, 2*time.Second - 1},
		{usage.AmountOf(-2 * time.Second).Add(usage.AmountOf(1)), `-1.999999999`, -2*time.Second + 1},
		{usage.AmountOf(math.MinInt64), `-9223372036.854775808`, math.MinInt64},
		{usage.AmountOf(math.MinInt64).Add(usage.AmountOf(-1)), `-9223372036.854775809`, math.MinInt64},
		{usage.AmountOf(100 * time.Second), `100`, 100 * time.Second},
		{usage.AmountOf(900 * time.Millisecond).Add(usage.AmountOf(200 * time.Millisecond)), `1.1`, 1100 * time.Millisecond},
		{usage.AmountOf(math.MaxInt64), `9223372036.854775807`, math.MaxInt64},
		{usage.Amount{Seconds: 9223372036, Nanoseconds: 854775808}, `9223372036.854775808`, math.MaxInt64},
		{usage.Amount{Seconds: math.MaxInt64}, `9223372036854775807`, math.MaxInt64},
	} {
		t.Run(c.json, func(t *testing.T) {
			text, err := json.Marshal(c.amount)
			if err != nil || string(text) != c.json {
				t.Errorf("JSON %s, %v", text, err)
			}
			var back usage.Amount
			if err := json.Unmarshal(text, &back); err != nil || back != c.amount {
				t.Errorf("back %+v, %v", back, err)
			}
			if got := c.amount.Duration(); got != c.length {
				t.Errorf("duration %d, want %d", got, c.length)
			}
		})
	}
	for _, text := range []string{`"1"`, `--1`, `-`, `1.`, `.5`, `+1`, `1.-5`, `1e3`, `0.0000000001`, `true`} {
		var a usage.Amount
		if err := json.Unmarshal([]byte(text), &a); err == nil {
			t.Errorf("%s was read as %v", text, a)
		}
	}
}
