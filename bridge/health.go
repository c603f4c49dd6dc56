package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// HaltedError: the bridge has stopped at an event that can't be sent. Events wait in the journal until it is started again.
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

// Health is nil when events flow. Errors: *HaltedError, *AwayError, or what the sink says. It doesn't wait for the broker.
func (b *Bridge) Health(ctx context.Context) error {
	if b.subscription != nil {
		if err := b.subscription.Err(); err != nil && !errors.Is(err, errClosing) {
			return &HaltedError{Bridge: b.Name(), Behind: b.behind(ctx), Err: err}
		}
	}
	var fromSink error
	if healther, ok := b.sink.(Healther); ok && b.opened {
		fromSink = healther.Health(ctx)
	}
	since, last := b.trouble.oldest()
	if last == nil {
		return fromSink
	}
	if fromSink != nil {
		last = fromSink
	}
	return &AwayError{Bridge: b.Name(), Since: since, Behind: b.behind(ctx), Err: last}
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
