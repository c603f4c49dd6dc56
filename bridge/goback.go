package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// restTime is for a server that couldn't go back, so that the one that has just taken over, and has to go back, finds nobody who takes over from it.
const restTime = 3 * time.Second

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
