package main

// slots is the capacity of each bounded queue, ours and theirs.
const slots = 1024

// handler is what happens to an event at a subscription. Carriers hand the event over by value before they call it.
type handler func(sent int64)

// carrier brings events from publishers to handlers.
type carrier interface {
	publish(sent int64) // may be called concurrently
	close() error
}

// maker makes a carrier with one subscription for each handler. A handler isn't called concurrently unless the maker says so.
type maker struct {
	name       string
	make       func([]handler) (carrier, error)
	concurrent bool // handlers of one subscription run at the same time, even with one publisher
}

var (
	oursMaker      = maker{name: "ours", make: newOurs}
	waitingMaker   = maker{name: "ours", make: newWaiting}
	channelsMaker  = maker{name: "channels", make: newChannels}
	unstampedMaker = maker{name: "channels, unstamped", make: newUnstamped}
	syncMaker      = maker{name: "asaskevich sync", make: newAsaskevich}
	asyncMaker     = maker{name: "asaskevich async", make: newAsaskevichAsync, concurrent: true}
	watermillMaker = maker{name: "watermill", make: newWatermill}
	tailscaleMaker = maker{name: "tailscale", make: newTailscale}
)
