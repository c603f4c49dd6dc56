package status

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	spoolPause    = time.Second      // before a batch that failed is written again
	spoolPatience = 10 * time.Second // with a batch
)

// load puts into the reporter what the spool has.
func (r *Reporter) load() error {
	kept, err := r.options.Spool.Load(r.active)
	if err != nil {
		return fmt.Errorf("status: reading the spool: %w", err)
	}
	now := time.Now()
	for _, k := range kept {
		o, err := k.Observation.Normal()
		if err != nil || k.EventID.IsZero() || k.Sequence == 0 || o.Time.IsZero() {
			r.log.Error("status: the spool has something that can't be sent", "type", o.ServiceType, "resource", o.ID, "error", err)
			continue
		}
		r.floor = max(r.floor, k.Sequence)
		e := &entry{of: resource{o.ServiceType, o.ID}, index: -1, latest: report{Observation: o, id: k.EventID, sequence: k.Sequence}, spooled: k.Sequence}
		if r.options.Resync > 0 {
			e.resyncAt = now.Add(rand.N(r.options.Resync))
		}
		if k.Pending {
			e.changed = now
		} else {
			e.acked = o.Status
		}
		r.entries[e.of] = e
		r.plan(e)
	}
	return nil
}

// soilEntry has the spooler write down what is known of e.
func (r *Reporter) soilEntry(e *entry) {
	if !r.spools(e) || e.dirty {
		return
	}
	e.dirty = true
	r.dirty = append(r.dirty, e)
	poke(r.soil)
}

// keepSpooling writes down what there is, all of it at once, until the reporter is closed; Close writes the rest.
func (r *Reporter) keepSpooling() {
	for {
		select {
		case <-r.soil:
		case <-r.active.Done():
			return
		}
		if r.spoolAll() {
			continue
		}
		pause := time.NewTimer(spoolPause)
		select {
		case <-pause.C:
		case <-r.active.Done():
		}
		pause.Stop()
		poke(r.soil)
	}
}

// spoolAll returns false if the spool didn't take it.
func (r *Reporter) spoolAll() bool {
	r.mu.Lock()
	now := time.Now()
	forgotten := func(e *entry) bool { return r.entries[e.of] != e }
	entries, gone := slices.DeleteFunc(r.dirty, forgotten), r.gone
	r.dirty, r.gone = nil, nil
	batch := append(make([]Spooled, 0, len(gone)+len(entries)), gone...)
	for _, e := range entries {
		e.dirty = false
		batch = append(batch, e.record(now))
	}
	r.mu.Unlock()
	if len(batch) == 0 {
		return true
	}
	ctx, stop := context.WithTimeout(context.Background(), spoolPatience)
	defer stop()
	err := r.options.Spool.Write(ctx, batch)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spoolResult(err)
	if err != nil {
		r.gone = append(gone, r.gone...)
	}
	for i, e := range entries {
		if err == nil {
			e.spooled = max(e.spooled, batch[len(gone)+i].Sequence)
		} else if !e.dirty {
			e.dirty = true
			r.dirty = append(r.dirty, e)
		}
		if !forgotten(e) {
			r.plan(e)
		}
	}
	poke(r.wake)
	return err == nil
}

// spoolResult notes how writing ended, and tells when that changes.
func (r *Reporter) spoolResult(err error) {
	if err != nil && r.spoolErr == nil {
		r.log.Error("status: the spool keeps nothing; reports are sent all the same", "error", err)
	}
	if err == nil && r.spoolErr != nil {
		r.log.Info("status: the spool keeps reports again")
	}
	r.spoolErr = err
}
