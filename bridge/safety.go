package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// HorizonSuffix ends the name of the cursor by which a bridge whose sink is a Checkpointer keeps ten minutes of events in the journal, should the
// broker have lost them: bridge_nats_horizon. Nobody reads from there until then, so it is always behind.
const HorizonSuffix = journal.HorizonSuffix

const (
	// Horizon is how far back, before its newest checkpoint, a bridge can go when its broker has lost messages that it had acknowledged.
	// The journal keeps the events of that time: a cursor called bridge_<name>_horizon holds them.
	Horizon = 10 * time.Minute

	checkpointEvery = time.Second
	holdAgain       = time.Hour // a cursor that holds is to be claimed now and then
)

// safety keeps checkpoints, and finds where to go on when the broker comes back. All methods may be called on nil: there is nothing to be safe from.
type safety struct {
	sink   Checkpointer
	points checkpoints
	reader *reader
	log    *slog.Logger
	now    func() time.Time

	doubt atomic.Pointer[chan struct{}] // closed when what other servers have sent was looked for; nil: nothing is to be
	turn  atomic.Int64                  // the journal's Tenure for which that is so; written with reader.mu held
	asked chan struct{}                 // room for one: a handler waits for that

	// Of those that hold reader.mu.
	stored    checkpoint // the latest
	denied    bool       // the broker has lost what it acknowledged last, and the reader hasn't gone back yet
	heldAt    time.Time  // when the horizon's cursor was told where it is
	refusedAt time.Time  // when it couldn't go back because another server has taken over, and rests since; zero if it doesn't
}

// secure prepares the bridge's safety, if the sink wants it and there is a database.
func (b *Bridge) secure(ctx context.Context, rt *plugins.Runtime) error {
	sink, wants := b.sink.(Checkpointer)
	if !wants || rt.Journal() == nil {
		return nil
	}
	s := &safety{sink: sink, points: checkpoints{journal: rt.Journal(), bridge: b.Name()}, reader: b.reader, log: b.log, now: rt.Now, asked: make(chan struct{}, 1)}
	if err := s.points.migrate(ctx); err != nil {
		return fmt.Errorf("bridge: checkpoints of %s: %w", b.Name(), err)
	}
	if _, known, err := s.points.cursor(ctx); err != nil {
		return err
	} else if !known {
		// It is new, or was forgotten (journal.Forget), which makes it new.
		if err := s.points.clear(ctx); err != nil {
			return err
		}
	}
	b.safety = s
	sink.OnConnect(s.check)
	rt.Go("checkpoints", s.run)
	return nil
}

// run stores a checkpoint once in a while.
func (s *safety) run(ctx context.Context) error {
	ticker := time.NewTicker(checkpointEvery)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-s.asked:
		}
		err := s.tick(ctx)
		if errors.Is(err, bus.ErrLeaseLost) {
			err = nil // another server sends
		}
		if err != nil && !failing && ctx.Err() == nil {
			s.log.Warn("checkpoints can't be stored; more may be sent again than need be", "error", err)
		}
		failing = err != nil
	}
}

func (s *safety) tick(ctx context.Context) error {
	if !s.reader.mu.TryLock() {
		return nil // it moves, which takes care of the checkpoints
	}
	defer s.reader.mu.Unlock()
	if s.inDoubt() {
		return s.takeOver(ctx)
	}
	err := s.storeNewest(ctx)
	if errors.Is(err, bus.ErrLeaseLost) {
		s.beginDoubt()
	}
	return err
}

// keep stores what was acknowledged at the end, so that the next start sends nothing again.
func (s *safety) keep(ctx context.Context) {
	if s == nil {
		return
	}
	s.reader.mu.Lock()
	defer s.reader.mu.Unlock()
	if err := s.storeNewest(ctx); err != nil && !errors.Is(err, bus.ErrLeaseLost) {
		s.log.Warn("the last checkpoint can't be stored; the next start sends a little again", "error", err)
	}
}

// base stores, before a bridge sends its first message, where it begins. reader.mu is held.
func (s *safety) base() error {
	if s == nil {
		return nil
	}
	ctx := s.reader.life
	all, err := s.points.all(ctx)
	if err != nil {
		return err
	}
	if len(all) > 0 {
		s.stored = all[0]
		return nil
	}
	if s.reader.standsBy() {
		return nil // who sends does it, and this server when it takes over
	}
	if err := s.begin(ctx, s.points.journal.Tenure(s.points.bridge)); !errors.Is(err, bus.ErrLeaseLost) {
		return err
	}
	return nil
}

// begin stores the first checkpoint.
func (s *safety) begin(ctx context.Context, turn int64) error {
	cursor, known, err := s.points.cursor(ctx)
	if err != nil || !known {
		return err
	}
	return s.store(ctx, checkpoint{seq: cursor, at: s.now()}, turn)
}

// storeNewest stores a checkpoint if the cursor has moved. What moves it past events that aren't sent needs no new mark. reader.mu is held.
func (s *safety) storeNewest(ctx context.Context) error {
	if s.reader.current.Load() == nil || s.reader.ended || s.denied || s.doubt.Load() != nil {
		return nil
	}
	// In this order: what the cursor has passed was acknowledged before, so the mark isn't before any of it.
	cursor, known, err := s.points.cursor(ctx)
	if err != nil || !known {
		return err
	}
	mark, _ := s.sink.Mark()
	if cursor <= s.stored.seq {
		if s.now().Sub(s.heldAt).Abs() < holdAgain {
			return nil
		}
		return s.hold(ctx)
	}
	if old := s.stored.mark; mark.Created.Equal(old.Created) && mark.Seq < old.Seq || mark == (Mark{}) {
		mark = old
	}
	return s.store(ctx, checkpoint{seq: cursor, mark: mark, at: s.now()}, s.turn.Load())
}

// store adds a checkpoint that was reached in a turn: bus.ErrLeaseLost if another server may have sent since.
func (s *safety) store(ctx context.Context, p checkpoint, turn int64) error {
	if err := s.points.store(ctx, p, turn, Horizon); err != nil {
		return err
	}
	s.stored = p
	return s.hold(ctx)
}

// hold has retention keep what comes after the oldest checkpoint.
func (s *safety) hold(ctx context.Context) error {
	oldest, known, err := s.points.oldest(ctx)
	if err == nil && known {
		err = s.points.journal.SetCursor(ctx, s.points.bridge+HorizonSuffix, oldest)
	}
	if err == nil {
		s.heldAt = s.now()
	}
	return err
}
