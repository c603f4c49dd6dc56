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
	restTime        = 3 * time.Second // so that a server that has just taken over, and has to go back, finds nobody who takes over from it
	holdAgain       = time.Hour       // a cursor that holds is to be claimed now and then
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

// beginDoubt has the next event wait until what other servers have sent was looked for: one of them may send from now on.
func (s *safety) beginDoubt() {
	if s == nil || s.doubt.Load() != nil || s.points.journal.PresenceLength() == 0 {
		return
	}
	doubt := make(chan struct{})
	s.doubt.CompareAndSwap(nil, &doubt) // handlers may do so at the same time
}

// inDoubt reports whether another server may have sent since this one has looked: also if the name came back to it before it noticed.
func (s *safety) inDoubt() bool {
	if s.points.journal.Tenure(s.points.bridge) != s.turn.Load() {
		s.beginDoubt()
	}
	return s.doubt.Load() != nil
}

// endDoubt lets events of a turn go. reader.mu is held.
func (s *safety) endDoubt(turn int64) {
	s.turn.Store(turn)
	if doubt := s.doubt.Swap(nil); doubt != nil {
		close(*doubt)
	}
}

// confirm waits, where several servers share the database, until what another has sent before m was looked for. Errors: errClosing.
func (b *Bridge) confirm(ctx context.Context, m Message) (err error) {
	doubt, end := b.safety.doubted()
	if doubt == nil {
		return nil
	}
	if away := b.safety.away(ctx); away != nil {
		b.complain(m, away)
		defer func() { b.settle(m, err) }()
	}
	select {
	case <-doubt:
		return nil
	case <-ctx.Done():
	case <-b.life.open.Done():
	case <-end:
	}
	return errClosing
}

// doubted asks for a look, and returns what is closed after it, and what is closed when nobody waits for it any more; nil if none is needed.
func (s *safety) doubted() (doubt, end <-chan struct{}) {
	if s == nil || !s.inDoubt() {
		return nil, nil
	}
	d := s.doubt.Load()
	if d == nil {
		return nil, nil // it has just ended
	}
	select {
	case s.asked <- struct{}{}:
	default:
	}
	return *d, s.reader.wait().Done()
}

// away says why the broker can't be asked; nil if it can, or the sink doesn't know.
func (s *safety) away(ctx context.Context) error {
	if healther, ok := s.sink.(Healther); ok {
		return healther.Health(ctx)
	}
	return nil
}

// takeOver looks for what another server has sent before this one goes on in its place. While the broker is away there is nothing to look at: check does it then.
// reader.mu is held.
func (s *safety) takeOver(ctx context.Context) error {
	if s.reader.standsBy() {
		s.reader.leave() // what still waits for the broker, or for a look, would keep this server from standing by
		return nil
	}
	if s.away(ctx) != nil {
		return nil
	}
	ctx, cancel := within(ctx, s.reader.life)
	defer cancel()
	return s.look(ctx)
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

// check finds out, with nothing under way, whether the broker still holds what it has acknowledged, and goes back to where it does.
func (s *safety) check(ctx context.Context) error {
	s.reader.mu.Lock()
	defer s.reader.mu.Unlock()
	ctx, cancel := within(ctx, s.reader.life)
	defer cancel()
	if s.reader.standsBy() {
		return nil // who sends looks, and this server when it takes over
	}
	mark, sent := s.sink.Mark()
	if sent && !s.inDoubt() {
		holds, err := s.sink.Holds(ctx, mark)
		if err != nil {
			return fmt.Errorf("bridge: look for what was acknowledged last: %w", err)
		}
		if holds {
			return s.reader.resume()
		}
		s.denied = true
	}
	return s.look(ctx)
}

// look finds the newest checkpoint that the broker holds, and goes back to it. reader.mu is held.
func (s *safety) look(ctx context.Context) error {
	turn := s.points.journal.Tenure(s.points.bridge) // before anything is looked at, which another server may change after it
	all, err := s.points.all(ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		if s.reader.current.Load() != nil && !s.reader.ended {
			if err := s.begin(ctx, turn); err != nil {
				return err
			}
		}
		s.endDoubt(turn)
		return s.reader.resume()
	}
	to, err := s.newestThatHolds(ctx, all)
	if err != nil {
		return err
	}
	return s.goBack(ctx, to, s.denied || to != all[0], turn)
}

// newestThatHolds returns the checkpoint to go back to: if none holds the oldest, as one before the first message.
func (s *safety) newestThatHolds(ctx context.Context, all []checkpoint) (checkpoint, error) {
	for _, to := range all {
		if to.mark == (Mark{}) {
			return to, nil
		}
		holds, err := s.sink.Holds(ctx, to.mark)
		if err != nil {
			return to, fmt.Errorf("bridge: look for a checkpoint's message: %w", err)
		}
		if holds {
			return to, nil
		}
	}
	oldest := all[len(all)-1]
	oldest.mark = Mark{}
	return oldest, nil
}

// goBack has the reader begin anew after a checkpoint, if it is behind it. reader.mu is held.
func (s *safety) goBack(ctx context.Context, to checkpoint, lost bool, turn int64) error {
	cursor, known, err := s.points.cursor(ctx)
	if err != nil {
		return err
	}
	// What was acknowledged a moment ago may not be behind the cursor yet.
	moves := known && (lost || cursor > to.seq)
	if moves {
		if err := s.rewind(ctx, to, min(cursor, to.seq), lost); err != nil {
			return err
		}
	}
	if lost {
		if err := s.points.forgetAfter(ctx, to); err != nil {
			return err
		}
	}
	s.stored, s.denied = to, false
	if !moves {
		s.endDoubt(turn) // else another server may have sent while this one went back
	}
	return s.reader.resume()
}

// rewind moves the cursor back to seq, or to where the journal begins if that is later. The reader has ended then.
func (s *safety) rewind(ctx context.Context, to checkpoint, seq uint64, lost bool) error {
	if err := s.reader.pause(ctx); err != nil {
		return err
	}
	if lost {
		s.log.Warn("the broker has lost messages that it had acknowledged; they are sent again", "after", to.seq, "since", to.at)
	}
	first, _, err := s.points.journal.Bounds(ctx)
	if err != nil {
		return err
	}
	if seq+1 < first {
		s.log.Warn("some of what the broker has lost isn't in the journal any more", "after", seq, "up_to", first-1)
		seq = first - 1
	}
	err = s.points.journal.Rewind(ctx, s.points.bridge, seq)
	if !errors.Is(err, journal.ErrSubscribed) {
		s.refusedAt = time.Time{}
		return err
	}
	// Another server has taken over, and looks before it sends. If it has to go back, nobody should be there to take over from it in turn: this one rests a while.
	s.denied = false
	s.beginDoubt() // what the cursor has passed since isn't known to be in the stream
	if lost || s.rests() {
		return err
	}
	return nil
}

// rests begins a rest, and reports whether it still lasts. reader.mu is held.
func (s *safety) rests() bool {
	now := s.now()
	if s.refusedAt.IsZero() {
		s.refusedAt = now
	}
	if now.Sub(s.refusedAt).Abs() < restTime {
		return true
	}
	s.refusedAt = time.Time{}
	return false
}
