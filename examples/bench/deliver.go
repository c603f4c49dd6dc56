package main

import "fmt"

// deliver compares what an event costs that each of n subscriptions has handled.
func (b *bench) deliver() error {
	for _, row := range []struct {
		subscriptions int
		peers         []entry
	}{
		{1, []entry{against(channelsMaker, atLeast(1)), against(unstampedMaker), against(syncMaker, atLeast(3)), against(asyncMaker), against(watermillMaker), against(tailscaleMaker)}},
		{3, []entry{against(channelsMaker, atLeast(1)), against(unstampedMaker), against(syncMaker, atLeast(4)), against(asyncMaker), against(watermillMaker), against(tailscaleMaker)}},
		{10, []entry{against(channelsMaker, atLeast(1.3)), against(unstampedMaker), against(syncMaker, atLeast(4)), against(asyncMaker), against(watermillMaker), against(tailscaleMaker)}},
		{100, []entry{against(channelsMaker, atLeast(2)), against(syncMaker, atLeast(4)), against(tailscaleMaker)}},
	} {
		contenders, err := b.enter(row.subscriptions, 1, oursMaker, row.peers...)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("publish and deliver, %s", count(row.subscriptions, "subscription"))
		if err := b.hold(contest{name: name, unit: "ns", contenders: contenders}); err != nil {
			return err
		}
	}
	return nil
}

// publishers compares what an event costs with several publishers at once, for which there is no bar.
func (b *bench) publishers() error {
	for _, n := range []int{1, 2, 4, 8} {
		contenders, err := b.enter(3, n, oursMaker, against(channelsMaker))
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%s, 3 subscriptions", count(n, "publisher"))
		if err := b.hold(contest{name: name, unit: "ns", contenders: contenders}); err != nil {
			return err
		}
	}
	return nil
}

// stream compares events in bursts of many times a queue's size: publishers wait for room.
func (b *bench) stream() error {
	const events = 32 * slots
	var all []contender
	for _, m := range []maker{waitingMaker, channelsMaker} {
		c, err := newBurster(m, 3, 1)
		if err != nil {
			return err
		}
		c.size = events
		all = append(all, c.contender(m.name, b.slice))
	}
	return b.hold(contest{name: "publish and deliver with waiting, 3 subscriptions", unit: "ns", contenders: all})
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
