package main

import "errors"

// bus runs all rows of the bus.
func (b *bench) bus() error {
	for _, part := range []func() error{
		b.deliver, b.stream, b.allocations, b.strangers, b.hop, b.latency, b.neighbour, b.idleSubscriptions, b.publishers, b.evbus,
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// enter makes a contender of each maker, ours first. All are closed if one can't be made.
func (b *bench) enter(subscriptions, publishers int, ours maker, peers ...entry) ([]contender, error) {
	var all []contender
	for _, e := range append([]entry{{maker: ours}}, peers...) {
		c, err := newBurster(e.maker, subscriptions, publishers)
		if err != nil {
			for _, k := range all {
				err = errors.Join(err, k.close())
			}
			return nil, err
		}
		all = append(all, c.contender(e.maker.name, b.slice, e.bars...))
	}
	return all, nil
}

// entry is a peer in a contest.
type entry struct {
	maker maker
	bars  []bar
}

func against(m maker, bars ...bar) entry { return entry{m, bars} }

func atLeast(x float64) bar { return bar{faster, x} }
func atMost(x float64) bar  { return bar{within, x} }
func limit(x float64) bar   { return bar{absolute, x} }
