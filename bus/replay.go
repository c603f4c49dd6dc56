package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// run does an errand on the goroutine that handles the resource's events. handle is called for each event in order, until it fails.
func (p *parking) run(job *errand, handle func(*Parked) error) {
	var got Replayed
	over := false
	defer func() {
		if !over {
			got.Err = errGoexit
		}
		job.done <- got
	}()
	ctx := p.sub.bus.base
	if job.discard {
		if p.sub.insist(func() error { return p.store.Unpark(ctx, p.sub.durable, job.seqs...) }) {
			got.Done = len(job.seqs)
		}
	} else {
		p.replay(job, &got, handle)
	}
	if err := p.settle(ctx, job); got.Err == nil {
		got.Err = err
	}
	over = true
}

// settle frees the resource of an errand, or its events that are about none, if nothing of it is parked any more. It asks about nothing else:
// what other lanes park meanwhile stays as it is, and many errands don't each list all there is.
func (p *parking) settle(ctx context.Context, job *errand) error {
	var left []Parked
	var err error
	if job.of.id == "" {
		left, err = parkedAmong(ctx, p.store, p.sub.durable, job.seqs)
	} else {
		left, err = p.store.Parked(ctx, ParkedQuery{Subscription: p.sub.durable, Kind: job.of.kind, ResourceID: job.of.id, Limit: 1})
	}
	if err != nil {
		return fmt.Errorf("bus: what %q has parked: %w", p.sub.durable, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case job.of.id == "":
		for _, seq := range job.seqs {
			if !slices.ContainsFunc(left, func(e Parked) bool { return e.Seq == seq }) {
				delete(p.alone, seq)
			}
		}
	case len(left) == 0:
		delete(p.blocked, job.of)
	}
	p.busy.Store(len(p.blocked)+len(p.alone) > 0)
	return nil
}

// parkedAmong returns the parked events that have these numbers.
func parkedAmong(ctx context.Context, store Parker, subscription string, seqs []uint64) (found []Parked, err error) {
	wanted := slices.Clone(seqs)
	slices.Sort(wanted)
	for wanted = slices.Compact(wanted); len(wanted) > 0; {
		if wanted[0] == 0 { // no event has it
			wanted = wanted[1:]
			continue
		}
		page, err := store.Parked(ctx, ParkedQuery{Subscription: subscription, After: wanted[0] - 1, Limit: parkedPage})
		if err != nil || len(page) == 0 {
			return found, err
		}
		for _, e := range page {
			for len(wanted) > 0 && wanted[0] < e.Seq {
				wanted = wanted[1:]
			}
			if len(wanted) > 0 && wanted[0] == e.Seq {
				found, wanted = append(found, e), wanted[1:]
			}
		}
	}
	return found, nil
}

func (p *parking) replay(job *errand, got *Replayed, handle func(*Parked) error) {
	for after := uint64(0); ; {
		page, err := p.page(job, after)
		if err != nil || len(page) == 0 {
			got.Err = err
			return
		}
		for i := range page {
			parked := &page[i]
			after = parked.Seq
			if err := handle(parked); err != nil {
				got.Err, got.Left = err, p.left(job)
				return
			}
			got.Done++
		}
	}
}

// page returns the next parked events that an errand is about.
func (p *parking) page(job *errand, after uint64) ([]Parked, error) {
	q := ParkedQuery{Subscription: p.sub.durable, Kind: job.of.kind, ResourceID: job.of.id, After: after, Limit: parkedPage}
	if job.seqs != nil {
		if after >= job.seqs[0] {
			return nil, nil
		}
		q.Kind, q.ResourceID, q.After, q.Limit = "", "", job.seqs[0]-1, 1
	}
	page, err := p.store.Parked(p.sub.bus.base, q)
	if job.seqs != nil {
		page = slices.DeleteFunc(page, func(e Parked) bool { return e.Seq != job.seqs[0] })
	}
	return page, err
}

// left is how many of the events that an errand is about are still parked.
func (p *parking) left(job *errand) (n int) {
	for after := uint64(0); ; {
		page, err := p.page(job, after)
		if err != nil || len(page) == 0 {
			return n
		}
		n, after = n+len(page), page[len(page)-1].Seq
	}
}

// outcome stores what a replayed event's try came to.
func (p *parking) outcome(e *Parked, err error) error {
	ctx := p.sub.bus.base
	if err == nil || errors.Is(err, Stop) {
		return p.store.Unpark(ctx, p.sub.durable, e.Seq)
	}
	if errors.Is(err, ErrOutage) {
		return err
	}
	p.sub.noteFailure(e.Header, err, e.Tries+1)
	return errors.Join(err, p.store.Park(ctx, p.sub.durable, Parking{Seq: e.Seq, Reason: err.Error(), Tries: e.Tries + 1}))
}
