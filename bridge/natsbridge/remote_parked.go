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

// Park implements bus.Parker: each event is a value of its own, copied from the stream. If the bucket fails in the midst, those before stay parked; the bus asks again.
func (j *remote) Park(ctx context.Context, name string, events ...bus.Parking) error {
	parked := make([]bus.Parked, len(events))
	for i, e := range events {
		records, err := j.Read(ctx, e.Seq-1, 1)
		if err != nil {
			return err
		}
		parked[i] = bus.Parked{Subscription: name, Reason: e.Reason, Tries: e.Tries, At: time.Now().UTC()}
		if len(records) == 1 && records[0].Seq == e.Seq && records[0].Type != "" {
			parked[i].Record = records[0]
		}
	}
	_, kv, asking, done, err := j.there(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := j.fence(name); err != nil {
		return err
	}
	for i, e := range events {
		if err := j.park(asking, kv, e, parked[i]); err != nil {
			return err
		}
	}
	return nil
}

func (j *remote) park(ctx context.Context, kv jetstream.KeyValue, e bus.Parking, p bus.Parked) error {
	k := key("parked", p.Subscription, seqKey(e.Seq))
	entry, err := kv.Get(ctx, k)
	switch {
	case err == nil && e.Tries == 0:
		return nil // it stays as it is
	case err == nil:
		var before bus.Parked
		if err := json.Unmarshal(entry.Value(), &before); err != nil {
			return j.failed("parked events", err)
		}
		p.Record = before.Record // the stream may have removed it since
	case !errors.Is(err, jetstream.ErrKeyNotFound):
		return j.failed("parked events", err)
	}
	if p.Seq == 0 {
		return fmt.Errorf("natsbridge: park event %d for %s: it isn't in the stream", e.Seq, p.Subscription)
	}
	value, err := json.Marshal(p)
	if err == nil {
		_, err = kv.Put(ctx, k, value)
	}
	if err != nil {
		return j.failed("parked events", err)
	}
	return nil
}

func seqKey(seq uint64) string { return fmt.Sprintf("%020d", seq) }

// Unpark implements bus.Parker.
func (j *remote) Unpark(ctx context.Context, name string, seqs ...uint64) error {
	_, kv, ctx, done, err := j.there(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := j.fence(name); err != nil {
		return err
	}
	for _, seq := range seqs {
		if err := kv.Purge(ctx, key("parked", name, seqKey(seq))); err != nil {
			return j.failed("parked events", err)
		}
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
