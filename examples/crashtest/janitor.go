package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// purgeEvery is how often the janitor removes VMs that are expunged.
const purgeEvery = 150 * time.Millisecond

// janitor does what a server does beside its callers: it removes resources that are in their final state, and makes backups.
type janitor struct {
	vms     *resources.Kind[vm.VM]
	store   *gormstore.Store
	file    func(n int) string // of backup n; nil: there are none
	trouble bool
	fail    func(error)

	cancel context.CancelFunc
	done   sync.WaitGroup
}

// start lets the janitor work until stop.
func (j *janitor) start(rng *rand.Rand) {
	var ctx context.Context
	ctx, j.cancel = context.WithCancel(context.Background())
	j.done.Go(func() {
		j.repeat(ctx, func() time.Duration { return purgeEvery }, func(int) error {
			_, err := j.vms.Purge(ctx, 0)
			return err
		})
	})
	if j.file == nil {
		return
	}
	j.done.Go(func() {
		pause := func() time.Duration { return time.Duration(rng.Int64N(int64(3 * time.Second))) }
		j.repeat(ctx, pause, func(n int) error { return j.store.Backup(ctx, j.file(n), gormstore.BackupOptions{}) })
	})
}

// repeat calls fn, with a pause before each call.
func (j *janitor) repeat(ctx context.Context, pause func() time.Duration, fn func(n int) error) {
	for n := 1; ; n++ {
		select {
		case <-time.After(pause()):
		case <-ctx.Done():
			return
		}
		if err := fn(n); err != nil && !errors.Is(err, context.Canceled) && !(j.trouble && refusal(err)) {
			j.fail(fmt.Errorf("janitor: %w", err))
			return
		}
	}
}

// stop waits until the janitor has put down what he has in hand.
func (j *janitor) stop() {
	j.cancel()
	j.done.Wait()
}
