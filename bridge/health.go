package bridge

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// listed is how many parked resources a ParkedError lists.
const listed = 10

// HaltedError: the bridge has stopped at an event that can't be sent, since 1,000 resources are parked already, or since the journal can't keep parked events.
// Events wait in the journal until it is started again.
type HaltedError struct {
	Bridge string
	Behind uint64 // how many events of the journal it hasn't passed
	Err    error  // of the event: *RejectedError, *EncodeError
}

func (e *HaltedError) Error() string {
	return fmt.Sprintf("bridge: %s has halted, %d events behind: %v", e.Bridge, e.Behind, e.Err)
}

func (e *HaltedError) Unwrap() error { return e.Err }

// AwayError: the broker doesn't take events. They wait in the journal, and the bridge goes on trying.
type AwayError struct {
	Bridge string
	Since  time.Time // when the oldest of the sends that now fail failed first
	Behind uint64    // how many events of the journal the bridge hasn't passed
	Err    error     // what the broker, or the way to it, said last
}

func (e *AwayError) Error() string {
	return fmt.Sprintf("bridge: %s can't send since %s, %d events behind: %v", e.Bridge, e.Since.UTC().Format(time.RFC3339), e.Behind, e.Err)
}

func (e *AwayError) Unwrap() error { return e.Err }

// ParkedError: events that can't be sent are set aside, and with each the later events of its resource; all others flow. bus.Parked lists them, bus.Replay sends
// them when what was wrong has been set right, bus.Discard gives them up.
type ParkedError struct {
	Bridge    string
	Parked    int                  // resources whose events are set aside (an event that is about no resource counts as one)
	Resources []bus.ParkedResource // the first ten of them, in order of their oldest event
	Behind    uint64               // how many events of the journal the bridge hasn't passed
	Rate      float64              // messages acknowledged per second, over the last 10 s
}

func (e *ParkedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "bridge: %s has set aside the events of %d resources that can't be sent (%d events behind, %.1f/s)", e.Bridge, e.Parked, e.Behind, e.Rate)
	for i, r := range e.Resources {
		fmt.Fprintf(&b, "%s %s/%s from event %d on, a %s: %s", []string{":", ";"}[min(i, 1)], r.Kind, r.ResourceID, r.First, r.Type, r.Reason)
	}
	return b.String()
}

// Health is nil when events flow. Errors: *HaltedError, *AwayError, *ParkedError, or what the sink says. It doesn't wait for the broker.
func (b *Bridge) Health(ctx context.Context) error {
	subscription := b.reader.current.Load()
	if subscription != nil {
		if err := subscription.Err(); err != nil && !errors.Is(err, errClosing) {
			return &HaltedError{Bridge: b.Name(), Behind: b.behind(ctx), Err: err}
		}
	}
	var fromSink error
	if healther, ok := b.sink.(Healther); ok && b.opened {
		fromSink = healther.Health(ctx)
	}
	since, last := b.trouble.oldest()
	if last == nil && fromSink == nil {
		return b.parked(ctx, subscription)
	}
	if last == nil {
		return fromSink
	}
	if fromSink != nil {
		last = fromSink
	}
	return &AwayError{Bridge: b.Name(), Since: since, Behind: b.behind(ctx), Err: last}
}

// parked is a *ParkedError if anything is.
func (b *Bridge) parked(ctx context.Context, subscription *bus.Subscription) error {
	if subscription == nil {
		return nil
	}
	parked := subscription.Inspect().Parked
	if parked == 0 {
		return nil
	}
	e := &ParkedError{Bridge: b.Name(), Parked: parked, Behind: b.behind(ctx), Rate: b.counts.rate.perSecond()}
	all, err := b.bus.ParkedResources(ctx, b.Name())
	if err != nil {
		return errors.Join(e, err)
	}
	e.Resources = all[:min(len(all), listed)]
	return e
}

// behind counts the events of the journal after the bridge's cursor, 0 if that can't be found out.
func (b *Bridge) behind(ctx context.Context) uint64 {
	j := b.bus.Journal()
	if j == nil {
		return 0
	}
	_, last, err := j.Bounds(ctx)
	if err != nil {
		return 0
	}
	cursor, _, err := j.Cursor(ctx, b.Name())
	if err != nil || cursor > last {
		return 0
	}
	return last - cursor
}
