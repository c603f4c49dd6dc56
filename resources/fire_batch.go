package resources

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

// ErrSkip is returned by Shot.First to leave its move out.
var ErrSkip = errors.New("resources: left out")

// Shot is one of the moves of a FireBatch.
type Shot struct {
	Kind    string
	ID      string
	Trigger fsm.Trigger // "" moves nothing: First is all there is to it
	Options []Option    // Actor, Reason, At

	// First runs in the transaction, before the resource's row is written: the caller's own rows and events go there. It sees what the
	// shots before it have written. c is the move as it is planned; if there is none it is Unchanged and says how the resource stands,
	// and err says why: nil for a Same edge and without a Trigger, else what Fire returns (ErrNotFound, *fsm.TransitionError, *VetoError).
	//
	// If First returns nil the move is made, if there is one; if ErrSkip, it isn't. What First has written is committed in both cases.
	// ErrConflict has the whole batch planned anew, from what is committed then. Any other error fails the batch.
	// It runs again when the transaction has to be repeated, and must not keep tx. What it appends about the resource has the version that
	// the resource gets. Defaults to nothing.
	First func(tx Tx, c Change, err error) error
}

// Fired is what became of a Shot.
type Fired struct {
	Change Change // as Fire returns it; if there was no move, how the resource stands
	Err    error  // why there was no move: what Fire returns, or ErrSkip
}

// FireBatch makes up to 1,000 moves in one transaction, in the given order, each a change of its own with its event, and with what
// Shot.First writes for it. It is for reports that come in masses: they share a commit, as one member of the writer that lets those go
// first that somebody waits for. While it is written nobody else writes, some 30 µs a move.
//
// Listeners see each move as they see a Fire. A shot may meet the resource as the shots before it have left it. One that can't move,
// because the machine refuses it or a listener vetoes it, touches no other: its Fired says why. If several are vetoed in the transaction,
// or others keep moving the same resources, each of the batch gets a transaction of its own.
//
// An error is about the whole batch: *InvalidError, *UnknownError for a kind, ErrInWriter, ErrConflict after 8 tries, what a First or the
// store says. Nothing was written then; of a batch whose shots got transactions of their own, nothing from the shot on that failed.
func (e *Engine) FireBatch(ctx context.Context, shots []Shot) ([]Fired, error) {
	if len(shots) == 0 {
		return nil, nil
	}
	if len(shots) > maxBatch {
		return nil, &InvalidError{Field: "batch", Reason: fmt.Sprintf("has %d moves; at most %d are allowed", len(shots), maxBatch)}
	}
	if bus.InWriter(ctx, e.store.Journal()) {
		return nil, ErrInWriter
	}
	b, err := e.newVolley(ctx, shots)
	if err != nil {
		return nil, err
	}
	told := errEnded
	defer func() { b.end(told) }()
	err = b.run(ctx)
	told = err
	if err != nil {
		return nil, fmt.Errorf("resources: batch of %d moves: %w", len(shots), err)
	}
	fired := make([]Fired, len(shots))
	for i, s := range b.aims {
		fired[i] = Fired{s.change, s.verdict}
	}
	return fired, nil
}

// aim is a shot on its way.
type aim struct {
	*work
	shot  Shot
	last  bool  // no later shot of the batch is at the same resource
	only  bool  // no other shot is
	fault error // why it can't move, however the resource stands

	// Of the present plan.
	refused error // why there is no move
	skipped bool  // First left it out before; the plan goes by that

	verdict error // of the member: what its caller is told
	done    bool  // it is committed
}

// newVolley begins the changes of a batch.
func (e *Engine) newVolley(ctx context.Context, shots []Shot) (*volley, error) {
	b := &volley{engine: e, aims: make([]*aim, len(shots))}
	now := e.clock()
	last, count := make(map[spot]int, len(shots)), make(map[spot]int, len(shots))
	for i := range shots {
		h, err := e.Kind(shots[i].Kind)
		if err != nil {
			return nil, err
		}
		call, fault := newCall(h.info.Name, shots[i].ID, forBatch, shots[i].Options, now)
		base := Change{Action: Moved, ResourceID: shots[i].ID, Trigger: shots[i].Trigger}
		b.aims[i] = &aim{work: h.newWork(ctx, base, call), shot: shots[i], fault: fault}
		at := spot{h, shots[i].ID}
		last[at] = i
		count[at]++
	}
	for at, i := range last {
		b.aims[i].last, b.aims[i].only = true, count[at] == 1
	}
	for _, s := range b.aims {
		if s.fault == nil && s.shot.Trigger != "" {
			s.fault = s.begins()
		}
	}
	return b, nil
}

// end tells the after-listeners what became of each.
func (b *volley) end(err error) {
	for _, s := range b.aims {
		outcome := err
		if s.done {
			outcome = s.verdict
		}
		if s.shot.Trigger != "" {
			s.h.tell(s.ctx, s.change, s.began, outcome)
		}
	}
}
