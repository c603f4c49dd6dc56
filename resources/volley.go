package resources

import (
	"context"
	"errors"

	"github.com/cloudbus-go/cloudbus/bus"
)

// volley is a FireBatch on its way.
type volley struct {
	engine *Engine
	aims   []*aim
}

// spot is where a resource is found.
type spot struct {
	h  *Handle
	id string
}

// maxConflicts is how often a volley of several is planned anew because somebody else moved one of its resources, before each gets its own
// transaction: among many who move the same ones, a large volley would hardly ever come through.
const maxConflicts = 4

// maxVetoes is how many moves of a volley may be vetoed in the transaction, which begins again without them, before each gets its own.
const maxVetoes = 4

// missed says at which aim a member of several failed, and what to do.
type missed struct {
	aim  *aim
	err  error
	anew bool // plan again
}

func (e *missed) Error() string { return e.err.Error() }
func (e *missed) Unwrap() error { return e.err }

// run plans and commits, until nobody has come in between.
func (b *volley) run(ctx context.Context) error {
	for conflicts, vetoes := 0, 0; ; {
		if err := b.plan(ctx); err != nil {
			return err
		}
		err := b.commit(ctx)
		if err == nil {
			return nil
		}
		var at *missed
		switch {
		case !errors.As(err, &at):
			return err
		case at.anew:
			b.engine.counts.conflicts.Add(1)
			switch conflicts++; {
			case conflicts == tries:
				return at.aim.h.named(at.aim.shot.ID, ErrConflict)
			case conflicts == maxConflicts && len(b.aims) > 1:
				return b.runEach(ctx)
			}
		case !at.aim.own(at.err):
			return at.err
		default:
			at.aim.fault = at.err
			if vetoes++; vetoes > maxVetoes && len(b.aims) > 1 {
				return b.runEach(ctx)
			}
		}
	}
}

// runEach gives each its own transaction.
func (b *volley) runEach(ctx context.Context) error {
	for _, s := range b.aims {
		s.last, s.only, s.skipped = true, true, false
		alone := &volley{engine: b.engine, aims: []*aim{s}}
		if err := alone.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// own reports whether what failed in the transaction is the move's alone: a listener's no, say, and not the database's.
func (s *aim) own(err error) bool {
	if errors.Is(err, bus.ErrOutage) {
		return false
	}
	var veto *VetoError
	var panicked *PanicError
	var relation *RelationError
	return errors.As(err, &veto) || errors.As(err, &panicked) || errors.As(err, &relation)
}

// plan decides what becomes of each resource, from what is committed and the plans before it.
func (b *volley) plan(ctx context.Context) error {
	rows, err := b.load(ctx)
	if err != nil {
		return err
	}
	for _, s := range b.aims {
		at := spot{s.h, s.shot.ID}
		obj := rows[at]
		if obj != nil && !s.only {
			obj = s.h.info.Clone(obj) // it is also what an earlier one writes, or what a later one begins with
		}
		s.plan(obj)
		if s.moves() {
			rows[at] = s.object
		}
	}
	return nil
}

// load reads the resources.
func (b *volley) load(ctx context.Context) (map[spot]any, error) {
	ids := map[*Handle][]string{}
	for _, s := range b.aims {
		if s.last {
			ids[s.h] = append(ids[s.h], s.shot.ID)
		}
	}
	rows := make(map[spot]any, len(b.aims))
	for h, ids := range ids {
		objs, err := h.loadAll(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, obj := range objs {
			rows[spot{h, ObjectOf(obj).ID}] = obj
		}
	}
	return rows, nil
}

// loadAll reads the committed rows of those ids that are there.
func (h *Handle) loadAll(ctx context.Context, ids []string) ([]any, error) {
	if s, ok := h.engine.store.(BatchLoader); ok {
		return s.LoadAll(ctx, h.info, ids)
	}
	var objs []any
	for _, id := range ids {
		obj, err := h.engine.store.Load(ctx, h.info, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		objs = append(objs, obj)
	}
	return objs, nil
}

// moves reports whether the plan has the resource move.
func (s *aim) moves() bool { return s.refused == nil && s.change.Action == Moved }

// plan decides what becomes of obj, which it may alter; nil if there is none.
func (s *aim) plan(obj any) {
	s.change, s.version, s.object, s.links = s.base, 0, nil, links{}
	if obj == nil {
		s.stays(ErrNotFound)
		return
	}
	s.note(ObjectOf(obj))
	if s.fault != nil || s.skipped || s.shot.Trigger == "" {
		s.stays(s.fault)
		return
	}
	before := s.change
	s.refused = s.moveFrom(obj)
	if s.refused == nil && s.change.Changed() {
		s.refused = s.h.chain.askBefore(s.ctx, s.change)
	}
	if s.refused != nil {
		s.change = before
		s.stays(s.refused)
	}
}

// stays plans no move.
func (s *aim) stays(why error) {
	s.refused = s.h.named(s.shot.ID, why)
	c := &s.change
	c.Action, c.To, c.Origin = Unchanged, c.From, c.FromOrigin
}

// commit writes all that is planned, and notes what became of it.
func (b *volley) commit(ctx context.Context) error {
	var skipped []bool // of the run that counts, the last
	err := b.engine.inBackground(ctx, func(tx StoreTx) (err error) {
		skipped = make([]bool, len(b.aims))
		for i, s := range b.aims {
			if skipped[i], err = s.hit(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, s := range b.aims {
		s.landed(skipped[i])
	}
	return nil
}

// hit is the shot's part in the transaction.
func (s *aim) hit(tx StoreTx) (skipped bool, err error) {
	switch err := s.first(tx); {
	case err == nil:
		if s.skipped && s.fault == nil {
			s.skipped = false
			return false, &missed{s, ErrConflict, true}
		}
	case errors.Is(err, ErrSkip):
		if s.moves() && !s.last { // those behind it are planned on a move that isn't made
			s.skipped = true
			return true, &missed{s, ErrConflict, true}
		}
		return true, nil
	case errors.Is(err, ErrConflict):
		return false, &missed{s, err, true}
	default:
		return false, s.h.named(s.shot.ID, err)
	}
	if !s.moves() {
		return false, nil
	}
	s.conflict.Store(false)
	if err := s.member(tx); err != nil {
		return false, &missed{s, s.h.named(s.shot.ID, err), errors.Is(err, ErrConflict) && s.conflict.Load()}
	}
	return false, nil
}

// first runs the shot's First.
func (s *aim) first(tx StoreTx) error {
	if s.shot.First == nil {
		return nil
	}
	t := &changeTx{tx: tx, engine: s.h.engine, change: s.change, own: s.ctx}
	defer t.done.Store(true)
	return s.protect("First", func() error { return s.shot.First(t, s.change, s.refused) })
}

// landed notes that the shot's part is committed.
func (s *aim) landed(skipped bool) {
	s.done, s.verdict = true, s.refused
	switch {
	case skipped:
		s.verdict = s.h.named(s.shot.ID, ErrSkip)
		s.stays(nil)
	case s.moves():
		if !s.change.Time.Equal(s.base.Time) {
			s.h.engine.counts.lifted.Add(1)
		}
		s.h.engine.expect(s.h, &s.change)
	}
}
