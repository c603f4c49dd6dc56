package main

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// gorm never ends the goroutine that looks after its prepared statements.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

var allMakers = map[string]maker{
	"ours": oursMaker, "ours, waiting": waitingMaker, "channels": channelsMaker, "channels, unstamped": unstampedMaker,
	"asaskevich sync": syncMaker, "asaskevich async": asyncMaker, "watermill": watermillMaker, "tailscale": tailscaleMaker,
	"evbus": evbusMaker, "evbus async": evbusAsyncMaker, "evbus direct": directMaker, "evbus direct async": directAsyncMaker,
}

// Whoever is measured must do all of the work: a burst is over when each handler has had each event, with what was published.
func TestCarriersDeliverWhatIsCounted(t *testing.T) {
	for name, m := range allMakers {
		t.Run(name, func(t *testing.T) {
			const subscriptions, publishers = 3, 2
			tally := newTally(subscriptions)
			var sum [subscriptions]atomic.Int64
			// evbus runs synchronous handlers on the goroutines of both publishers; the original has one lock for all.
			handlers := tally.handlers(m.concurrent || strings.HasPrefix(name, "evbus"))
			for i, h := range handlers {
				handlers[i] = func(sent int64) {
					sum[i].Add(sent)
					h(sent)
				}
			}
			c, err := m.make(handlers)
			if err != nil {
				t.Fatal(err)
			}
			b := &burster{carrier: sevens{c}, tally: tally, publishers: publishers, size: slots}
			for burst := range int64(3) {
				b.burst()
				for i := range sum {
					want := 7 * slots * (burst + 1)
					if m.name == unstampedMaker.name {
						want = 0
					}
					if got := sum[i].Load(); got != want {
						t.Errorf("burst %d: subscription %d has had %d, want %d", burst, i, got, want)
					}
				}
			}
			if err := c.close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// sevens publishes the same number always.
type sevens struct{ carrier }

func (s sevens) publish(int64) { s.carrier.publish(7) }

func TestEventIsOfAboutTwoHundredBytes(t *testing.T) {
	if eventSize < 180 || eventSize > 260 {
		t.Errorf("an event has %d bytes", eventSize)
	}
	e := stamped(42)
	if e.ID.IsZero() || e.Type == "" || e.Source == "" || time.Since(e.Time) > time.Minute || e.Tenant == "" || e.ResourceID == "" || e.Payload.Sent != 42 {
		t.Errorf("not stamped: %+v", e)
	}
}

func TestPacerTakesAllSamples(t *testing.T) {
	p, err := newPacer(waitingMaker, time.Microsecond, 5000, func(int64) {})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		figures, err := p.run()
		if err != nil || len(p.samples) != 5000 || len(figures) != len(percentileNames) || figures[0] <= 0 || figures[2] < figures[0] {
			t.Errorf("%d samples, %v, %v", len(p.samples), figures, err)
		}
	}
	if err := p.carrier.close(); err != nil {
		t.Error(err)
	}
}
