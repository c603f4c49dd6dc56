package alerts

import "context"

// CheckNow does what the watching goroutine does when something is due by the runtime's clock.
func (p *Plugin) CheckNow(ctx context.Context) error {
	_, err := p.check(ctx, p.runtime.Now())
	return err
}

// HasMoved reports whether the journal has a change of the resource after seq.
func (p *Plugin) HasMoved(ctx context.Context, kind, id string, seq uint64) (bool, error) {
	return p.hasMoved(ctx, pending{Kind: kind, ResourceID: id, Seq: seq})
}
