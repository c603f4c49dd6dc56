package journal

import (
	"context"
	"fmt"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Attempts returns what a durable subscription was at when it last stored that, in order of the numbers. See bus.AttemptKeeper.
func (j *Journal) Attempts(ctx context.Context, subscription string) ([]bus.Attempt, error) {
	rows, err := j.readSQL.QueryContext(ctx, j.text.attempts, subscription)
	if err != nil {
		return nil, j.readError("attempts of "+subscription, err)
	}
	defer func() { _ = rows.Close() }()
	var all []bus.Attempt
	for rows.Next() {
		var a bus.Attempt
		if err := rows.Scan(&a.Seq, &a.Tries); err != nil {
			return nil, j.readError("attempts of "+subscription, err)
		}
		all = append(all, a)
	}
	return all, j.readError("attempts of "+subscription, rows.Err())
}

// StoreAttempts stores attempts of a durable subscription, all or none, as a background member; 0 tries removes one.
// Errors: bus.ErrLeaseLost if the subscription runs on another server.
func (j *Journal) StoreAttempts(ctx context.Context, subscription string, attempts ...bus.Attempt) error {
	return j.storeFor(ctx, subscription, "attempts of ", func(t *Tx) error {
		for _, a := range attempts {
			text, args := j.text.storeAttempt, []any{subscription, a.Seq, a.Tries}
			if a.Tries == 0 {
				text, args = j.text.forgetAttempt, args[:2]
			}
			if _, err := t.Exec(text, args...); err != nil {
				return fmt.Errorf("journal: attempt of %q at event %d: %w", subscription, a.Seq, err)
			}
		}
		return nil
	})
}

// ForgetAttempts removes all attempts of a durable subscription, as a background member. Errors: as of StoreAttempts.
func (j *Journal) ForgetAttempts(ctx context.Context, subscription string) error {
	return j.storeFor(ctx, subscription, "attempts of ", func(t *Tx) error {
		_, err := t.Exec(j.text.forgetAttempts, subscription)
		return err
	})
}

var _ bus.AttemptKeeper = (*Journal)(nil)
