package bus

import (
	"strconv"
	"sync/atomic"
)

// Client is a named participant of a bus. It owns its subscriptions. All methods may be called concurrently.
type Client struct {
	bus    *Bus
	name   string
	closed atomic.Bool
	made   atomic.Int64 // subscriptions, for their names

	subs []*Subscription // bus.mu guards it
}

// Name returns the client's name, which no other client of the bus has.
func (c *Client) Name() string { return c.name }

// Bus returns the bus.
func (c *Client) Bus() *Bus { return c.bus }

// usable reports why the client can't be used.
func (c *Client) usable() error {
	if c == nil {
		return &OptionError{Option: "client", Reason: "nil"}
	}
	if c.closed.Load() {
		return ErrClosed
	}
	return c.bus.usable()
}

func itoa(n int) string { return strconv.Itoa(n) }
