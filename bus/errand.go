package bus

import (
	"context"
	"fmt"
)

// errand is what a subscription is asked to do between two events: to take parked ones of a resource up again, or to discard them.
// On its way to a lane it travels in the queue, in the place of an event that can't be read.
type errand struct {
	of      subject
	seqs    []uint64 // of events about no resource, or of those to discard; nil: all of the resource
	discard bool
	done    chan Replayed // capacity 1
}

// Error makes an errand go where an event's error goes.
func (*errand) Error() string { return "bus: errand" }

// Replayed is what came of a replay.
type Replayed struct {
	Done int   // events that were handled, and aren't parked any more
	Left int   // events of the same resources that are still parked
	Err  error // of the first one that failed again
}

// Replay hands parked events of a durable subscription to its handler again, in order, each once: those of one resource or, with kind and id "",
// of all. When the last of a resource is done, its later events are handled again as they come. If one fails it stays parked, with the new
// reason, and so do those behind it; other resources go on. What comes meanwhile waits.
// Errors: ErrNotSubscribed, ErrInHandler (ctx is that of a handler), ErrInWriter, ErrNoParking, ctx's (the replay goes on), those of the journal.
func (b *Bus) Replay(ctx context.Context, subscription, kind, id string) (Replayed, error) {
	var sum Replayed
	s, all, err := b.parkedOf(ctx, subscription)
	if err != nil {
		return sum, err
	}
	if s == nil {
		return sum, fmt.Errorf("bus: replay %q: %w", subscription, ErrNotSubscribed)
	}
	for _, r := range all {
		if (kind != "" || id != "") && (r.Kind != kind || r.ResourceID != id) {
			continue
		}
		job := &errand{of: subject{r.Kind, r.ResourceID}}
		if r.ResourceID == "" {
			job.seqs = []uint64{r.First}
		}
		got, err := s.send(ctx, job)
		if err != nil {
			return sum, fmt.Errorf("bus: replay %q: %w", subscription, err)
		}
		sum.Done += got.Done
		sum.Left += got.Left
		if sum.Err == nil {
			sum.Err = got.Err
		}
	}
	return sum, nil
}

// Discard removes parked events of a durable subscription for good, whether it runs or not. A resource none of whose events is parked any more
// is free again. It returns how many there were. Errors: as of Replay, except ErrNotSubscribed.
func (b *Bus) Discard(ctx context.Context, subscription string, seqs ...uint64) (n int, err error) {
	s, _, err := b.parkedOf(ctx, subscription)
	if err != nil {
		return 0, err
	}
	parked, err := parkedAmong(ctx, b.journal.(Parker), subscription, seqs)
	if err != nil {
		return 0, fmt.Errorf("bus: discard events of %q: %w", subscription, err)
	}
	jobs := make(map[subject]*errand)
	for _, e := range parked {
		of := subject{e.Kind, e.ResourceID}
		if jobs[of] == nil {
			jobs[of] = &errand{of: of, discard: true}
		}
		jobs[of].seqs = append(jobs[of].seqs, e.Seq)
	}
	for _, job := range jobs {
		if s == nil {
			err = b.journal.(Parker).Unpark(ctx, subscription, job.seqs...)
		} else {
			_, err = s.send(ctx, job)
		}
		if err != nil {
			return n, fmt.Errorf("bus: discard events of %q: %w", subscription, err)
		}
		n += len(job.seqs)
	}
	return n, nil
}

// parkedOf finds a running durable subscription, nil if there is none, and what is parked.
func (b *Bus) parkedOf(ctx context.Context, name string) (*Subscription, []ParkedResource, error) {
	if err := b.mayWait(ctx); err != nil {
		return nil, nil, err
	}
	all, err := b.ParkedResources(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.durable[name]
	if s != nil && s.tenure.over() {
		return nil, nil, fmt.Errorf("bus: %q: %w", name, ErrLeaseLost)
	}
	if s != nil && s.parking == nil { // it halts instead, and so handles nothing that is parked
		return nil, nil, fmt.Errorf("bus: %q runs with OnFailure(Halt) and takes no parked events: %w", name, ErrNotSubscribed)
	}
	return s, all, nil
}

// send has a subscription do an errand, and waits for it.
func (s *Subscription) send(ctx context.Context, job *errand) (Replayed, error) {
	job.done = make(chan Replayed, 1)
	if err := s.inner.errand(ctx, job); err != nil {
		return Replayed{}, err
	}
	select {
	case got := <-job.done:
		return got, nil
	case <-s.done:
		select {
		case got := <-job.done:
			return got, nil
		default:
			return Replayed{}, ErrClosed
		}
	case <-ctx.Done():
		return Replayed{}, context.Cause(ctx)
	}
}

// errand queues an errand where events of its resource are handled.
func (in *inbox[T]) errand(ctx context.Context, job *errand) error {
	if in.commit != nil {
		select {
		case in.reader.errands <- job:
			return nil
		case <-in.sub.closing:
			return ErrClosed
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	q := in.laneOf(&Header{Kind: job.of.kind, ResourceID: job.of.id}).queue
	for {
		n := in.press.blank()
		n.err = job
		o := q.push(n, in.sub.bus.clock().UnixNano(), false)
		n.published(o.holds())
		switch o {
		case full:
			if err := in.waitForErrand(ctx, q); err != nil {
				return err
			}
		case refused:
			return ErrClosed
		default:
			return nil
		}
	}
}

func (in *inbox[T]) waitForErrand(ctx context.Context, q *queue[T]) error {
	room := q.roomChan()
	if room == nil {
		return nil
	}
	defer q.leaveRoom()
	select {
	case <-room:
		return nil
	case <-in.sub.closing:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// refuse ends an errand that can't be done: the subscription runs on another server now.
func (e *errand) refuse() { e.done <- Replayed{Err: ErrLeaseLost} }
