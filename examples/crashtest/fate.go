package main

import (
	"math/rand/v2"
	"time"
)

// moment is when in its life a server is killed.
type moment int

const (
	underLoad    moment = iota
	whileOpening        // before it is ready, perhaps in the midst of recovering from the last kill
	whileClosing        // while it closes, or finishes
)

// fate is what becomes of a life.
type fate struct {
	moment  moment
	after   time.Duration // from its start (whileOpening) or from when it is ready
	command string        // whileClosing: the command after which it dies
	then    time.Duration // whileClosing: how long after the command
	stall   time.Duration // how long it stands still before, if there are others to take its place; 0: it doesn't
}

// fates draws them: most die under load, some while they open or close.
type fates struct {
	rng   *rand.Rand
	every time.Duration // the mean time under load
}

func (f *fates) draw() fate {
	fate := f.end()
	if fate.moment != whileOpening && f.rng.IntN(4) == 0 {
		fate.stall = lease/2 + f.upTo(2*lease)
	}
	return fate
}

func (f *fates) end() fate {
	switch n := f.rng.IntN(100); {
	case n < 12:
		return fate{moment: whileOpening, after: f.upTo(120 * time.Millisecond)}
	case n < 30:
		command := sayClose
		if n < 20 {
			command = sayFinish
		}
		return fate{moment: whileClosing, after: f.upTo(f.every), command: command, then: f.upTo(60 * time.Millisecond)}
	default:
		return fate{moment: underLoad, after: f.upTo(2 * f.every)}
	}
}

func (f *fates) upTo(d time.Duration) time.Duration { return time.Duration(f.rng.Int64N(int64(d))) }
