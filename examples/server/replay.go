package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/schollz/progressbar/v3"
)

// novaActor is who reports what a log says.
const novaActor = "nova"

const progressTick = 100 * time.Millisecond

// replayer reports to the engine what a nova-compute log says about VMs.
type replayer struct {
	vms      *resources.Kind[vm.VM]
	journal  *journal.Journal
	replayed replayed
	log      *slog.Logger

	// pending are outcomes that moved nothing and aren't noted yet. They ride in the transaction of the next move: those that a
	// crash loses come after the last move, so that firing them again moves nothing either.
	pending []noted
}

const maxPending = 1000

// tally counts what the lines of a log came to. A line that was replayed before counts as it did then.
type tally struct {
	Moved     int // triggers that moved a VM
	Unchanged int // triggers that said nothing new
	Refused   int // triggers that were impossible in the VM's state
	Skipped   int // lines that carry no trigger
}

func (t *tally) add(o outcome) {
	switch o {
	case moved:
		t.Moved++
	case unchanged:
		t.Unchanged++
	case refused:
		t.Refused++
	}
}

// replay fires what the file says, in its order and with its times, and shows its progress on terminal unless that is nil.
// Errors are those of reading the file and of the database; what a line says is never one. If ctx ends, it does too, also while
// it waits for a pipe.
func (r *replayer) replay(ctx context.Context, f *os.File, terminal io.Writer) (t tally, err error) {
	defer context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Now()) })() // a file on disk has no deadline and needs none
	defer func() {
		// What was found out is noted, or a later replay might find otherwise. It may have been noted if the last outcome is unknown.
		if err != nil && !errors.Is(err, journal.ErrOutcomeUnknown) {
			err = errors.Join(err, r.flush(context.WithoutCancel(ctx)))
		}
	}()
	bar := progress(f, terminal)
	seen := make(map[report]int)
	for lines := newLineReader(f); ; {
		text, size, err := lines.next()
		if errors.Is(err, io.EOF) {
			_ = bar.Finish()
			return t, r.flush(ctx)
		}
		if err != nil {
			return t, cmp.Or(ctx.Err(), err) // an error of os.File names the file
		}
		_ = bar.Add(size)
		rep, ok := parseLine(text)
		if !ok {
			t.Skipped++
			continue
		}
		seen[rep]++
		if err := r.report(ctx, line{rep, seen[rep]}, &t); err != nil {
			return t, fmt.Errorf("vm/%s at %s: %w", rep.Instance, rep.At.Format(logTime), err)
		}
	}
}

// openLog opens a file to be replayed.
func openLog(file string) (*os.File, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errors.Join(fmt.Errorf("%s is a folder, not a log", file), f.Close())
	}
	return f, nil
}

// progress returns a bar for a file. What it can't do, because the file has no size or grows, isn't worth an error.
func progress(f *os.File, terminal io.Writer) *progressbar.ProgressBar {
	size := int64(1)
	if info, err := f.Stat(); err == nil {
		size = max(size, info.Size())
	}
	options := []progressbar.Option{progressbar.OptionSetVisibility(false)}
	if terminal != nil {
		options = []progressbar.Option{
			progressbar.OptionSetWriter(terminal),
			progressbar.OptionSetDescription("replaying"),
			progressbar.OptionShowBytes(true),
			progressbar.OptionThrottle(progressTick),
			progressbar.OptionClearOnFinish(),
		}
	}
	return progressbar.NewOptions64(size, options...)
}

// report fires the triggers of a line that weren't fired yet.
func (r *replayer) report(ctx context.Context, l line, t *tally) error {
	known, err := r.replayed.outcomes(ctx, l)
	if err != nil {
		return err
	}
	for _, on := range l.Triggers() {
		o, before := known[on]
		if !before {
			if o, err = r.fire(ctx, l, on); err != nil {
				return err
			}
		}
		t.add(o)
	}
	return nil
}

// fire fires one trigger and notes what came of it.
func (r *replayer) fire(ctx context.Context, l line, on fsm.Trigger) (outcome, error) {
	o, err := r.attempt(ctx, l, on)
	var impossible *fsm.TransitionError
	var invalid *resources.InvalidError // a time that the engine doesn't take
	switch {
	case errors.As(err, &impossible), errors.As(err, &invalid):
		r.log.Warn("replay: a report was refused", "at", l.At, "err", err)
		o = refused
	case err != nil || o == moved: // a move has noted itself
		return o, err
	}
	r.pending = append(r.pending, noted{l, on, o})
	if len(r.pending) >= maxPending {
		return o, r.flush(ctx)
	}
	return o, nil
}

// attempt fires one trigger, unless it would say nothing new. A VM that isn't known yet is created first.
func (r *replayer) attempt(ctx context.Context, l line, on fsm.Trigger) (outcome, error) {
	v, err := r.vm(ctx, l)
	if err != nil {
		return "", err
	}
	if step, err := vm.Machine.Next(v.State, v.Origin, on, v); err == nil && !step.Moved {
		return unchanged, nil
	}
	_, err = r.vms.Fire(ctx, v.ID, on, resources.At(l.At), resources.Actor(novaActor),
		resources.With(func(tx resources.Tx) error {
			return r.replayed.note(gormstore.Tx(tx), append(slices.Clip(r.pending), noted{l, on, moved})...)
		}))
	if errors.Is(err, resources.ErrNoEffect) { // somebody else moved it there meanwhile
		return unchanged, nil
	}
	if err != nil {
		return "", err
	}
	r.pending = r.pending[:0]
	return moved, nil
}

// flush notes what is pending.
func (r *replayer) flush(ctx context.Context) error {
	if len(r.pending) == 0 {
		return nil
	}
	err := r.journal.Do(ctx, func(tx *journal.Tx) error { return r.replayed.note(tx, r.pending...) })
	r.pending = r.pending[:0]
	return err
}

// vm returns the VM that a line is about.
func (r *replayer) vm(ctx context.Context, l line) (*vm.VM, error) {
	v, err := r.vms.Get(ctx, l.Instance.String())
	if !errors.Is(err, resources.ErrNotFound) {
		return v, err
	}
	seen := vm.VM{Object: resources.Object{ID: l.Instance.String()}}
	v, err = r.vms.Create(ctx, seen, resources.At(l.At), resources.Actor(novaActor))
	if errors.Is(err, resources.ErrExists) { // somebody else was quicker
		return r.vms.Get(ctx, seen.ID)
	}
	return v, err
}
