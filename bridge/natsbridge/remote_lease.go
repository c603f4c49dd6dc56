package natsbridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/nats-io/nats.go/jetstream"
)

// storedLease is a lease's value in the bucket. Nobody compares clocks: who waits sees that the value hasn't changed for a while, who has it gives it up when it couldn't change it for as long.
type storedLease struct {
	Holder string `json:"holder"` // "" if it was given back
	Beat   uint64 `json:"beat"`
}

// remoteLease is a lease that this process has, or had.
type remoteLease struct {
	j        *remote
	name     string
	lost     chan struct{}
	stop     context.CancelFunc
	over     sync.Once
	until    atomic.Pointer[time.Time] // nobody else can have taken it before
	done     chan struct{}             // closed when nobody renews it any more
	value    storedLease
	revision uint64
}

// Lease takes a name's lease, or waits until its holder has been silent for as long as a lease lasts, or has given it back.
func (j *remote) Lease(ctx context.Context, name string, busy func(holder string)) (bus.Lease, error) {
	j.mu.Lock()
	if l := j.leases[name]; l != nil && !l.isOver() {
		j.mu.Unlock()
		return nil, bus.ErrLeaseHeld
	}
	j.mu.Unlock()
	me := storedLease{Holder: fmt.Sprintf("%s/%d/%s", hostname(), os.Getpid(), bus.NewID(time.Now()))}
	var seen uint64 // the revision that is being watched
	var since time.Time
	for {
		began := time.Now()
		revision, holder, err := j.tryLease(ctx, name, me, seen, since)
		switch {
		case err == nil && holder == "":
			return j.keepLease(name, me, revision, began), nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			return nil, err
		case revision != seen:
			seen, since = revision, time.Now()
		}
		if busy != nil {
			busy(holder)
		}
		if !sleep(ctx, j.options.Lease/10) {
			return nil, ctx.Err()
		}
	}
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}

// tryLease takes the lease if it is free, or hasn't changed from seen since so long ago that its holder has given it up. Else it returns who has it, and the revision.
func (j *remote) tryLease(ctx context.Context, name string, me storedLease, seen uint64, since time.Time) (revision uint64, holder string, err error) {
	_, kv, ctx, done, err := j.there(ctx)
	if err != nil {
		return 0, "", err
	}
	defer done()
	value, err := json.Marshal(me)
	if err != nil {
		return 0, "", err
	}
	entry, err := kv.Get(ctx, key("lease", name))
	var have storedLease
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		revision, err = kv.Create(ctx, key("lease", name), value)
	case err == nil:
		if err := json.Unmarshal(entry.Value(), &have); err != nil {
			return 0, "", j.failed("lease of "+name, err)
		}
		silent := entry.Revision() == seen && time.Since(since) > j.options.Lease
		if have.Holder != "" && !silent {
			return entry.Revision(), have.Holder, nil
		}
		revision, err = kv.Update(ctx, key("lease", name), value, entry.Revision())
	}
	if outdated(err) {
		return 0, "another process", nil
	}
	if err != nil {
		return 0, "", j.failed("lease of "+name, err)
	}
	return revision, "", nil
}

// keepLease renews a lease, three times as often as it must, until it is released, lost, or the bus is closed. began is from before it was taken.
func (j *remote) keepLease(name string, value storedLease, revision uint64, began time.Time) *remoteLease {
	ctx, stop := context.WithCancel(j.life)
	l := &remoteLease{j: j, name: name, lost: make(chan struct{}), stop: stop, done: make(chan struct{}), value: value, revision: revision}
	until := began.Add(j.options.Lease)
	l.until.Store(&until)
	j.mu.Lock()
	if j.leases == nil {
		j.leases = map[string]*remoteLease{}
	}
	j.leases[name] = l
	j.mu.Unlock()
	j.running.Go(func() {
		defer close(l.done)
		for sleep(ctx, j.options.Lease/3) {
			began, until := time.Now(), *l.until.Load()
			err := l.renew(ctx, until)
			switch {
			case err == nil:
				until = began.Add(j.options.Lease)
				l.until.Store(&until)
			case outdated(err), !time.Now().Before(until.Add(-j.options.Lease / 3)):
				l.end()
				return
			}
		}
	})
	return l
}

// renew changes the value in the bucket.
func (l *remoteLease) renew(ctx context.Context, until time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	_, kv, ctx, done, err := l.j.there(ctx)
	if err != nil {
		return err
	}
	defer done()
	l.value.Beat++
	value, err := json.Marshal(l.value)
	if err != nil {
		return err
	}
	revision, err := kv.Update(ctx, key("lease", l.name), value, l.revision)
	if outdated(err) && l.mine(ctx, kv) {
		return nil // the answer to an earlier renewal was lost
	}
	if err == nil {
		l.revision = revision
	}
	return err
}

// mine finds out whether the value in the bucket is ours, and takes its revision.
func (l *remoteLease) mine(ctx context.Context, kv jetstream.KeyValue) bool {
	entry, err := kv.Get(ctx, key("lease", l.name))
	var have storedLease
	if err != nil || json.Unmarshal(entry.Value(), &have) != nil || have.Holder != l.value.Holder {
		return false
	}
	l.revision = entry.Revision()
	return true
}

// Lost implements bus.Lease.
func (l *remoteLease) Lost() <-chan struct{} { return l.lost }

// Release implements bus.Lease.
func (l *remoteLease) Release(ctx context.Context) error {
	l.stop()
	<-l.done
	if l.isOver() {
		return nil
	}
	l.end()
	l.j.mu.Lock()
	if l.j.leases[l.name] == l {
		delete(l.j.leases, l.name) // a cursor may be set by who has no lease
	}
	l.j.mu.Unlock()
	_, kv, ctx, done, err := l.j.there(ctx)
	if err != nil {
		return err
	}
	defer done()
	_, err = kv.Update(ctx, key("lease", l.name), []byte(`{"holder":""}`), l.revision)
	if err != nil && !outdated(err) {
		return l.j.failed("lease of "+l.name, err)
	}
	return nil
}

func (l *remoteLease) end() { l.over.Do(func() { close(l.lost) }) }

func (l *remoteLease) isOver() bool {
	select {
	case <-l.lost:
		return true
	default:
		return false
	}
}
