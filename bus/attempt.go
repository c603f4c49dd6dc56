package bus

import (
	"context"
	"fmt"
)

// Attempt is how often an event was in a handler's hands when the process died.
type Attempt struct {
	Seq   uint64 // 0: the subscription itself runs
	Tries int    // of the subscription: in how many lives in a row, each but the last of which ended without storing its end
}

// AttemptKeeper is implemented by journals that can tell, after a crash, what durable subscriptions were at. On one that can't,
// an event whose handler ends the process is handled again at each start. All methods may be called concurrently.
type AttemptKeeper interface {
	// Attempts returns what is stored of a durable name, in order of the numbers.
	Attempts(ctx context.Context, subscription string) ([]Attempt, error)
	// StoreAttempts stores attempts, all or none, in place of what is stored of the same numbers; 0 tries removes one.
	StoreAttempts(ctx context.Context, subscription string, attempts ...Attempt) error
	// ForgetAttempts removes all that is stored of a durable name.
	ForgetAttempts(ctx context.Context, subscription string) error
}

// DiedError: an event was in the handler's hands each time the process died, until that had counted as all the tries it has.
type DiedError struct {
	Seq    uint64
	Deaths int // that were attributed to it
}

func (e *DiedError) Error() string {
	return fmt.Sprintf("bus: the process died %d times while event %d was being handled", e.Deaths, e.Seq)
}
