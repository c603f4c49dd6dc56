package journal

import (
	"context"
	"errors"
	"time"
)

// janitor is the goroutine that applies Options.Retention. Close ends it.
type janitor struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// startJanitor starts it, if there is anything that it may remove.
func (j *Journal) startJanitor() {
	if !j.retention.removes() {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	j.janitor = &janitor{cancel: cancel, done: make(chan struct{})}
	go j.clean(ctx)
}

// clean waits first: the durable subscriptions of a server that was away for long are to be back before anybody asks who claims what.
func (j *Journal) clean(ctx context.Context) {
	defer close(j.janitor.done)
	for pause(ctx, j.retention.Every) == nil {
		began := time.Now()
		done, err := j.Retain(ctx, j.retention)
		switch {
		case err == nil:
			j.logger.Debug("old events were removed", "removed", done.Removed, "first", done.First, "last", done.Last, "held_by", done.HeldBy, "took", time.Since(began))
		case ctx.Err() == nil && !errors.Is(err, ErrClosed):
			j.logger.Error("old events can't be removed", "error", err, "again_in", j.retention.Every)
		}
	}
}

// stop ends the goroutine and waits for it. A nil janitor has none.
func (c *janitor) stop(ctx context.Context) error {
	if c == nil {
		return nil
	}
	c.cancel()
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
