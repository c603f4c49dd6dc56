package alerts

import "context"

// CheckNow does what the watching goroutine does when something is due by the runtime's clock.
func (p *Plugin) CheckNow(ctx context.Context) error {
	_, err := p.check(ctx, p.runtime.Now())
	return err
}
