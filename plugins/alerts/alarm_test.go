package alerts

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestAlarm(t *testing.T) {
	for _, c := range []struct {
		name  string
		sets  []time.Duration // each a second after the one before
		after time.Duration
	}{
		{"one", []time.Duration{10 * time.Second}, 10 * time.Second},
		{"far", []time.Duration{time.Hour}, time.Hour},
		{"past", []time.Duration{-time.Hour}, 0},
		{"an earlier one counts", []time.Duration{time.Hour, 10 * time.Second}, 11 * time.Second},
		{"a later one doesn't", []time.Duration{10 * time.Second, time.Hour}, 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, start := newAlarm(), time.Now()
				went := make(chan time.Duration, 1)
				if c.after == 0 {
					a.set(start.Add(c.sets[0]).UnixNano())
				}
				go func() {
					if a.wait(t.Context(), time.Now) {
						went <- time.Since(start)
					}
				}()
				if c.after > 0 {
					for n, d := range c.sets {
						if n > 0 {
							time.Sleep(time.Second)
						}
						a.set(time.Now().Add(d).UnixNano())
					}
				}
				if got := <-went; got != c.after {
					t.Errorf("went off after %v, want %v", got, c.after)
				}
			})
		})
	}
}

func TestAlarmEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan bool, 1)
		go func() { ended <- newAlarm().wait(ctx, time.Now) }()
		synctest.Wait()
		cancel()
		if <-ended {
			t.Error("it went off")
		}
	})
}
