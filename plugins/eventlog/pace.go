package eventlog

import (
	"context"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

const (
	firstMember = 32  // events that the first member changes
	mostMember  = 512 // and any
	// memberTime is how long a member may hold the writer before the next ones get smaller.
	memberTime = 2 * time.Millisecond
	// restFactor is how many times as long as a member took the next one waits, so that writers lose a fifth of their time at most.
	restFactor = 4
)

// pace changes many events in background members that writers hardly notice.
type pace struct{ size int }

func newPace() *pace { return &pace{firstMember} }

// write hands all numbers to do, some in each member, and adds up what that returns.
func (s *pace) write(ctx context.Context, p *Plugin, seqs []uint64, do func(*journal.Tx, []uint64) (int, error)) (total int, err error) {
	for len(seqs) > 0 {
		part := seqs[:min(s.size, len(seqs))]
		var took time.Duration
		n := 0
		err := p.runtime.Write(ctx, func(tx *journal.Tx) (err error) {
			began := time.Now()
			n, err = do(tx, part)
			took = time.Since(began)
			return err
		})
		if err != nil {
			return total, err
		}
		total += n
		seqs = seqs[len(part):]
		if s.size = min(2*s.size, mostMember); took > memberTime {
			s.size = max(1, len(part)/2)
		}
		if err := rest(ctx, restFactor*took); err != nil {
			return total, err
		}
	}
	return total, nil
}

func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
