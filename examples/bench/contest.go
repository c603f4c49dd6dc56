package main

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"
)

// contender is one way of doing a thing.
type contender struct {
	name  string                    // of a peer
	run   func() ([]float64, error) // does it for a slice of time; one figure per thing measured
	close func() error              // nil: nothing to close
	bars  []bar                     // for a peer what ours must reach against it, for ours absolute ones; one per figure, the rest for information
}

// contest lets contenders do the same in turns. The first is ours.
type contest struct {
	name       string
	figures    []string // what each figure is, if there are several
	unit       string
	rounds     int // that count. Defaults to as many as were asked for
	contenders []contender
}

// hold runs a contest and adds its rows.
func (b *bench) hold(c contest) error {
	b.say(c.name)
	results, err := b.play(c)
	if err == nil && b.profile != "" {
		err = b.profileOurs(c)
	}
	for _, k := range c.contenders {
		if k.close == nil {
			continue
		}
		if cerr := k.close(); err == nil && cerr != nil {
			err = fmt.Errorf("closing %s: %w", k.name, cerr)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	b.rows = append(b.rows, c.compare(b.group, results)...)
	return nil
}

// play returns the medians of each contender's figures. The round before the first warms up and isn't counted.
func (b *bench) play(c contest) ([][]float64, error) {
	all := make([][][]float64, len(c.contenders))
	for round := range cmp.Or(c.rounds, b.rounds) + 1 {
		for _, k := range rand.Perm(len(c.contenders)) {
			runtime.GC() // nobody pays for another's garbage
			figures, err := c.turn(k)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.contenders[k].name, err)
			}
			if round > 0 {
				all[k] = append(all[k], figures)
			}
		}
	}
	results := make([][]float64, len(all))
	for k, rounds := range all {
		results[k] = medians(rounds)
	}
	return results, nil
}

// patience is how long a turn may take; one that takes longer has lost an event that it waits for.
const patience = time.Minute

func (c contest) turn(k int) ([]float64, error) {
	watch := time.AfterFunc(patience, func() {
		panic(fmt.Sprintf("%s: %s isn't done after %v", c.name, c.contenders[k].name, patience))
	})
	defer watch.Stop()
	return c.contenders[k].run()
}

// compare makes the rows: one for each figure and peer, and one for each bar that ours must reach alone.
func (c contest) compare(group string, results [][]float64) []row {
	var rows []row
	for f, ours := range results[0] {
		r := row{group: group, name: c.name, unit: c.unit, ours: ours}
		if f < len(c.figures) {
			r.name += ", " + c.figures[f]
		}
		if r.bar = c.contenders[0].bar(f); r.bar.sort != noBar || len(c.contenders) == 1 {
			rows = append(rows, r)
		}
		for k, peer := range c.contenders[1:] {
			r.peer, r.theirs, r.bar = peer.name, &results[k+1][f], peer.bar(f)
			rows = append(rows, r)
		}
	}
	return rows
}

func (k contender) bar(figure int) bar {
	if figure < len(k.bars) {
		return k.bars[figure]
	}
	return bar{}
}

const profileTime = 2 * time.Second

// profileOurs writes a CPU profile of ours alone.
func (b *bench) profileOurs(c contest) (err error) {
	name := strings.Trim(strings.Map(fileRune, strings.ToLower(b.group+" "+c.name)), "_")
	f, err := os.Create(filepath.Join(b.profile, name+".pprof"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	for begun := time.Now(); time.Since(begun) < profileTime; {
		if _, err := c.contenders[0].run(); err != nil {
			return err
		}
	}
	return nil
}

func fileRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return '_'
}
