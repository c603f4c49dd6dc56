package natsbridge

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/nats-io/nats.go/jetstream"
)

const defaultParkedLimit = 100

// Park implements bus.Parker: each event is a value of its own, copied from the stream. All are looked at before the first is stored. If the bucket fails in the
// midst, those before stay parked, and the bus asks again. An event that the stream has removed since it was handed over is passed over: there is nothing to be copied.
func (j *remote) Park(ctx context.Context, name string, events ...bus.Parking) error {
	var all []bus.Parked
	for _, e := range events {
		p, err := j.toPark(ctx, name, e)
		if err != nil {
			return err
		}
		if p != nil {
			all = append(all, *p)
		}
	}
	for _, p := range all {
		if err := j.putParked(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// toPark returns what is to be stored, nil if it is nothing.
func (j *remote) toPark(ctx context.Context, name string, e bus.Parking) (*bus.Parked, error) {
	before, err := j.parked(ctx, name, e.Seq)
	if err != nil || before != nil && e.Tries == 0 { // it stays as it is
		return nil, err
	}
	p := &bus.Parked{Subscription: name, Reason: e.Reason, Tries: e.Tries, At: time.Now().UTC()}
	if before != nil {
		p.Record = before.Record // the stream may have removed it since
		return p, nil
	}
	records, err := j.Read(ctx, e.Seq-1, 1)
	if err != nil {
		return nil, err
	}
	if len(records) == 1 && records[0].Seq == e.Seq && records[0].Type != "" {
		p.Record = records[0]
		return p, nil
	}
	if _, last, err := j.Bounds(ctx); err != nil || e.Seq == 0 || e.Seq > last {
		return nil, cmp.Or(err, fmt.Errorf("natsbridge: park event %d for %s: it isn't in the stream", e.Seq, name))
	}
	j.log.Error("nats: an event can't be parked: the stream has removed it", "subscription", name, "seq", e.Seq, "reason", e.Reason, "tries", e.Tries)
	return nil, nil
}

// parked returns what is stored of an event, nil if it isn't parked.
func (j *remote) parked(ctx context.Context, name string, seq uint64) (*bus.Parked, error) {
	_, kv, ctx, done, err := j.there(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	entry, err := kv.Get(ctx, key("parked", name, seqKey(seq)))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, nil
	}
	var p bus.Parked
	if err == nil {
		err = json.Unmarshal(entry.Value(), &p)
	}
	if err != nil {
		return nil, j.failed("parked events", err)
	}
	return &p, nil
}

func (j *remote) putParked(ctx context.Context, p bus.Parked) error {
	_, kv, ctx, done, err := j.there(ctx)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel, err := j.fence(ctx, p.Subscription)
	if err != nil {
		return err
	}
	defer cancel()
	value, err := json.Marshal(p)
	if err == nil {
		_, err = kv.Put(ctx, key("parked", p.Subscription, seqKey(p.Seq)), value)
	}
	if err != nil {
		return j.failed("parked events", err)
	}
	return nil
}

func seqKey(seq uint64) string { return fmt.Sprintf("%020d", seq) }

// Unpark implements bus.Parker.
func (j *remote) Unpark(ctx context.Context, name string, seqs ...uint64) error {
	for _, seq := range seqs {
		if err := j.unpark(ctx, name, seq); err != nil {
			return err
		}
	}
	return nil
}

// unpark removes one: each has its own time, so that many aren't too many for a slow broker.
func (j *remote) unpark(ctx context.Context, name string, seq uint64) error {
	_, kv, ctx, done, err := j.there(ctx)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel, err := j.fence(ctx, name)
	if err != nil {
		return err
	}
	defer cancel()
	if err := kv.Purge(ctx, key("parked", name, seqKey(seq))); err != nil {
		return j.failed("parked events", err)
	}
	return nil
}

// Parked implements bus.Parker.
func (j *remote) Parked(ctx context.Context, q bus.ParkedQuery) ([]bus.Parked, error) {
	all, err := j.allParked(ctx, q.Subscription)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(p bus.Parked) bool {
		return p.Seq <= q.After || (q.Kind != "" || q.ResourceID != "") && (p.Kind != q.Kind || p.ResourceID != q.ResourceID)
	})
	return all[:min(len(all), cmp.Or(q.Limit, defaultParkedLimit))], nil
}

// ParkedResources implements bus.Parker.
func (j *remote) ParkedResources(ctx context.Context, name string) (resources []bus.ParkedResource, err error) {
	all, err := j.allParked(ctx, name)
	if err != nil {
		return nil, err
	}
	places := map[[2]string]int{}
	for _, p := range all {
		of := [2]string{p.Kind, p.ResourceID}
		i, known := places[of]
		if known && p.ResourceID != "" {
			resources[i].Events++
			continue
		}
		places[of] = len(resources)
		resources = append(resources, bus.ParkedResource{Kind: p.Kind, ResourceID: p.ResourceID, Events: 1, First: p.Seq, Type: p.Type, Reason: p.Reason, Tries: p.Tries, At: p.At})
	}
	return resources, nil
}

// allParked lists what a name, or "" for all, has parked, in order of name and number.
func (j *remote) allParked(ctx context.Context, name string) (all []bus.Parked, err error) {
	_, kv, ctx, done, err := j.there(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	pattern := "parked.>"
	if name != "" {
		pattern = key("parked", name, "*")
	}
	watcher, err := kv.Watch(ctx, pattern, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, j.failed("parked events", err)
	}
	defer func() { _ = watcher.Stop() }()
	for {
		select {
		case entry, more := <-watcher.Updates():
			if !more {
				return nil, j.failed("parked events", ErrAway)
			}
			if entry == nil { // all that there was
				slices.SortFunc(all, func(a, b bus.Parked) int {
					return cmp.Or(cmp.Compare(a.Subscription, b.Subscription), cmp.Compare(a.Seq, b.Seq))
				})
				return all, nil
			}
			var p bus.Parked
			if err := json.Unmarshal(entry.Value(), &p); err != nil {
				return nil, j.failed("parked events", fmt.Errorf("%s: %w", entry.Key(), err))
			}
			all = append(all, p)
		case <-ctx.Done():
			return nil, j.failed("parked events", ctx.Err())
		}
	}
}
