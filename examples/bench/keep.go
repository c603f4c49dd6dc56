package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// many measures what is done over databases with few and with many resources, and what keeping house costs those who move some.
func (b *bench) many(dir string) (err error) {
	fleets := make([]*fleet, 2)
	for i, n := range []int{few, b.idle + few} {
		path := filepath.Join(dir, fmt.Sprintf("many%d.db", i))
		b.say(fmt.Sprintf("a database of %d resources", n))
		if err := fill(path, n, n); err != nil {
			return err
		}
		if fleets[i], err = openFleet(path); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, fleets[i].close()) }()
		ids := make([]string, n)
		for i := range ids {
			ids[i] = idleID(i)
		}
		fleets[i].take(ids)
	}
	few, all := fleets[0], fleets[1]
	for _, c := range []contest{
		b.growth("page of 100 at a random place", few, all, (*fleet).page),
		b.growth("search for stuck resources, as at start-up", few, all, (*fleet).search),
		b.housekeeping(dir, all),
		b.creation(all),
	} {
		if err := b.hold(c); err != nil {
			return err
		}
	}
	return nil
}

// growth does the same over many resources and over few.
func (b *bench) growth(name string, few, all *fleet, do func(*fleet) error) contest {
	repeat := func(f *fleet) func() ([]float64, error) {
		return func() ([]float64, error) {
			n, begun := 0, time.Now()
			for ; time.Since(begun) < b.slice; n++ {
				if err := do(f); err != nil {
					return nil, err
				}
			}
			return []float64{time.Since(begun).Seconds() * 1e6 / float64(n)}, nil
		}
	}
	return contest{name: name, unit: "µs", contenders: []contender{
		{name: "ours", run: repeat(all)},
		{name: fmt.Sprintf("ours, of %d instead of %d", len(few.ids), len(all.ids)), run: repeat(few), bars: []bar{atMost(1.5)}},
	}}
}

func (f *fleet) page() error {
	page, err := f.vms.List(f.ctx, resources.Query{After: f.ids[rand.IntN(len(f.ids)-200)], Limit: 100})
	if err == nil && len(page.Items) != 100 {
		err = fmt.Errorf("a page has %d VMs", len(page.Items))
	}
	return err
}

func (f *fleet) search() error {
	_, err := f.engine.ReportStuck(f.ctx)
	return err
}

// housekeeping moves resources while old events are removed, while the database is backed up, and while neither is done.
func (b *bench) housekeeping(dir string, f *fleet) contest {
	beside := func(work func(ctx context.Context) error) func() ([]float64, error) {
		return func() ([]float64, error) {
			ctx, cancel := context.WithCancel(f.ctx)
			var worker sync.WaitGroup
			var failed error
			worker.Go(func() {
				for ctx.Err() == nil && failed == nil {
					if failed = work(ctx); ctx.Err() != nil {
						failed = nil
					}
				}
			})
			figures, err := drive(f, callers, len(f.ids), 16*b.slice)
			cancel()
			worker.Wait()
			return figures, errors.Join(err, failed)
		}
	}
	remove := func(ctx context.Context) error {
		_, err := f.store.Writer().Retain(ctx, journal.Retention{Rows: 1000, Horizon: 1})
		return err
	}
	backup := func(ctx context.Context) error {
		path := filepath.Join(dir, "backup.db")
		return errors.Join(f.store.Backup(ctx, path, gormstore.BackupOptions{}), os.RemoveAll(path))
	}
	nothing := func(ctx context.Context) error { <-ctx.Done(); return nil }
	return contest{name: "durable move, 64 callers, undisturbed", unit: "µs", contenders: []contender{
		{name: "ours", run: beside(nothing)},
		{name: "ours, while old events are removed", run: beside(remove)},
		{name: "ours, while backups are made", run: beside(backup)},
	}}
}

// creation makes resources a thousand at a time, and one at a time.
func (b *bench) creation(f *fleet) contest {
	const batch = 1000
	together := func() ([]float64, error) {
		n, begun := 0, time.Now()
		for ; time.Since(begun) < 4*b.slice; n += batch {
			vms := make([]vm.VM, batch)
			for i := range vms {
				vms[i] = newVM("")
			}
			if _, err := f.vms.CreateBatch(f.ctx, vms); err != nil {
				return nil, err
			}
		}
		return []float64{time.Since(begun).Seconds() * 1e6 / float64(n)}, nil
	}
	alone := func() ([]float64, error) {
		var all sync.WaitGroup
		counts, errs, begun := make([]int, callers), make([]error, callers), time.Now()
		for c := range callers {
			all.Go(func() {
				for errs[c] == nil && time.Since(begun) < 4*b.slice {
					_, errs[c] = f.vms.Create(f.ctx, newVM(""))
					counts[c]++
				}
			})
		}
		all.Wait()
		total := 0
		for _, n := range counts {
			total += n
		}
		return []float64{time.Since(begun).Seconds() * 1e6 / float64(total)}, errors.Join(errs...)
	}
	return contest{name: "creation of a resource, 1,000 at once", unit: "µs", contenders: []contender{
		{name: "ours", run: together},
		{name: "ours, one at a time, 64 callers", run: alone},
	}}
}
