package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	callers = 64
	perTx   = 32 // rows of a raw transaction: as many as 64 callers make groups of
)

// firing is somebody who moves resources in a database of his own.
type firing interface {
	fire(i int) error // moves the i-th resource on; for different resources it may be called concurrently
	settle() error    // returns when all moves are committed, and everybody who is to hear of them has
	close() error
}

// moves compares durable moves on SQLite and PostgreSQL, of many callers and of one, what idle resources weigh, and what is done over many of them.
func (b *bench) moves() (err error) {
	dir, err := os.MkdirTemp("", "cloudbus-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := b.durableMoves(dir); err != nil {
		return err
	}
	if err := b.postgresMoves(); err != nil {
		return err
	}
	if err := b.weight(dir); err != nil {
		return err
	}
	if err := b.commitHop(dir); err != nil {
		return err
	}
	if err := b.backlog(dir); err != nil {
		return err
	}
	return b.many(dir)
}

func (b *bench) durableMoves(dir string) (err error) {
	b.say(fmt.Sprintf("databases of %d resources and %d events", b.resources, b.events))
	if err := b.prepare(dir); err != nil {
		return err
	}
	if err := b.startUp(dir); err != nil {
		return err
	}
	ours, peers, err := b.compete(dir)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, ours.close(), peers.raw.close(), peers.gorm.close())
	}()
	// 16 slices: several checkpoints of the write-ahead log, which cost more than all else, fall into each.
	drive := func(name string, f firing, callers int, bars ...bar) contender {
		return contender{name: name, bars: bars, run: func() ([]float64, error) { return drive(f, callers, b.resources, 16*b.slice) }}
	}
	peers.raw.perTx = perTx
	err = b.hold(contest{name: "durable move, 64 callers", unit: "µs", contenders: []contender{
		drive("ours", ours, callers),
		drive(fmt.Sprintf("raw SQL, %d a transaction", perTx), peers.raw, 1, atLeast(0.6)),
		drive("gorm, a transaction each", peers.gorm, callers, atLeast(5)),
	}})
	if err != nil {
		return err
	}
	peers.raw.perTx = 1
	err = b.hold(contest{name: "durable move, one caller alone", unit: "µs", contenders: []contender{
		drive("ours", ours, 1),
		drive("raw SQL, a transaction each", peers.raw, 1, atMost(1.3)),
		drive("gorm, a transaction each", peers.gorm, 1),
	}})
	if err != nil {
		return err
	}
	if err := b.beside(ours); err != nil {
		return err
	}
	return b.lengthened(dir, ours)
}

// pragmasOf opens a database as ours does.
func pragmasOf(path string) (map[string]string, error) {
	f, err := openFleet(path)
	if err != nil {
		return nil, err
	}
	pragmas, err := f.pragmas()
	return pragmas, errors.Join(err, f.close())
}

type rivals struct {
	raw  *rawMoves
	gorm *gormMoves
}

// prepare makes a database that is full, and one that is almost empty.
func (b *bench) prepare(dir string) error {
	return errors.Join(fill(filepath.Join(dir, "ours.db"), b.resources, b.events), fill(filepath.Join(dir, "few.db"), few, few))
}

// compete gives all contenders a database with the same contents.
func (b *bench) compete(dir string) (*fleet, rivals, error) {
	path := filepath.Join(dir, "ours.db")
	ids := make([]string, b.resources)
	for i := range ids {
		ids[i] = idleID(i)
	}
	pragmas, err := pragmasOf(path)
	if err != nil {
		return nil, rivals{}, err
	}
	var r rivals
	for _, name := range []string{"raw.db", "gorm.db"} {
		if err := copyFile(path, filepath.Join(dir, name)); err != nil {
			return nil, r, err
		}
	}
	if r.raw, err = openRaw(filepath.Join(dir, "raw.db"), ids, pragmas); err != nil {
		return nil, r, err
	}
	if r.gorm, err = openGorm(filepath.Join(dir, "gorm.db"), ids, pragmas); err != nil {
		return nil, r, errors.Join(err, r.raw.close())
	}
	ours, err := openFleet(path)
	if err != nil {
		return nil, r, errors.Join(err, r.raw.close(), r.gorm.close())
	}
	ours.take(ids)
	return ours, r, nil
}

// drive lets callers move resources for about d and returns the microseconds of a move. Each caller has resources of his own
// and takes them at random, as pages of a database cost most when they are touched at random.
func drive(f firing, callers, resources int, d time.Duration) ([]float64, error) {
	moved := make([]int, callers)
	errs := make([]error, callers+1)
	begun := time.Now()
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for errs[c] == nil && time.Since(begun) < d {
				errs[c] = f.fire(c + callers*rand.IntN(resources/callers))
				moved[c]++
			}
		})
	}
	all.Wait()
	errs[callers] = f.settle()
	took := time.Since(begun)
	total := 0
	for _, n := range moved {
		total += n
	}
	return []float64{took.Seconds() * 1e6 / float64(total)}, errors.Join(errs...)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
