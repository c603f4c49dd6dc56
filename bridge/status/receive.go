package status

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
)

// rejoinAfter is how long a stream that can't be used is left alone.
const rejoinAfter = 15 * time.Second

// receive takes what comes, until ctx ends. A stream that can't be used is trouble (Health), and tried again.
func (i *Ingest) receive(ctx context.Context) error {
	in := bridge.Inlet{Stream: i.options.Stream, Subjects: []string{i.options.Subject}, Durable: i.options.Durable, Batch: i.options.Batch}
	for {
		i.unreachable.Store(nil)
		err := i.options.Transport.Receive(ctx, in, i.take)
		if ctx.Err() != nil {
			return nil
		}
		err = fmt.Errorf("status: stream %s can't be received: %w", in.Stream, err)
		i.unreachable.Store(&err)
		i.runtime.Logger().ErrorContext(ctx, "reports of providers can't be received", "error", err, "again_in", rejoinAfter)
		if !sleep(ctx, rejoinAfter) {
			return nil
		}
	}
}

// sleep waits for d; false: ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// take takes a batch from the stream, in its order; nil: all of it is stored, or rejected for good. Its parts are transactions of their own,
// small enough not to keep those waiting who want to write. What is given again after an error is a repeat where it was stored already.
func (i *Ingest) take(ctx context.Context, batch []bridge.Delivery) error {
	i.applying.Lock()
	defer i.applying.Unlock()
	began := time.Now()
	i.counts.received.Add(uint64(len(batch)))
	room := i.size.next(i.runtime.Journal().WriterStats(), began)
	decoded, end := i.decodeAhead(batch, room)
	defer end()
	for left := len(batch); left > 0; room = i.size.next(i.runtime.Journal().WriterStats(), time.Now()) {
		part := make([]*item, min(room, left))
		for n := range part {
			part[n] = <-decoded
		}
		if err := i.takeTogether(ctx, part); err != nil {
			i.waiting.Store(&err)
			i.complain(ctx, "reports of providers wait for the database", "error", err)
			return err
		}
		left -= len(part)
	}
	i.waiting.Store(nil)
	i.counts.batches.Add(1)
	i.counts.busy.Add(int64(time.Since(began)))
	return nil
}

// decodeAhead decodes a batch, in its order, while what is decoded is written, and no more than so many reports ahead of that: all at once would keep a
// processor from others for milliseconds. end ends it.
func (i *Ingest) decodeAhead(batch []bridge.Delivery, ahead int) (items <-chan *item, end func()) {
	ready, stop := make(chan *item, ahead), make(chan struct{})
	var decoding sync.WaitGroup
	decoding.Go(func() {
		for n := range batch {
			select {
			case ready <- i.decode(&batch[n]):
			case <-stop:
				return
			}
		}
	})
	return ready, func() {
		close(stop)
		decoding.Wait()
	}
}

// takeTogether takes a part of a batch in one transaction. If that fails for another reason than the database, each report is taken alone,
// and the culprit is quarantined.
func (i *Ingest) takeTogether(ctx context.Context, items []*item) error {
	err := i.apply(ctx, items)
	if err == nil || waits(ctx, err) {
		return err
	}
	for _, it := range items {
		err := i.apply(ctx, []*item{it})
		if err != nil && waits(ctx, err) {
			return err
		}
		if err == nil {
			continue
		}
		it.reject(&RejectError{Reason: Unstorable, Detail: clean(err.Error(), maxMessage)})
		if err := i.apply(ctx, []*item{it}); err != nil {
			return err
		}
	}
	return nil
}

// waits reports whether an error is one that goes by: the database's, the server's end, others who keep changing the same.
func waits(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, bus.ErrOutage) || errors.Is(err, resources.ErrConflict) || errors.Is(err, errAnew) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || closed(err)
}
