package evbus

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/cloudbus-go/cloudbus/bus"
)

// mailbox is the asynchronous side of a handler: a subscription of the bus below, and what WaitAsync has to know.
// Each call that was offered ends, is dropped by a full queue, or is left when the bus is cut off.
type mailbox struct {
	sub     *bus.Subscription // set before ready
	ready   atomic.Bool       // listed among the topic's handlers
	finish  sync.Once
	offered atomic.Uint64 // by publishers
	_       [64]byte      // publishers and the handler count apart
	ended   atomic.Uint64
	dropped atomic.Uint64 // as far as known: who publishes, waits or unsubscribes looks it up
}

// open starts the handler's subscription.
func (h *handler) open() error {
	h.mailbox = &mailbox{}
	b := h.bus
	b.mu.Lock()
	b.made++
	name := h.event + "#" + strconv.Itoa(b.made)
	b.mu.Unlock()
	opts := []bus.Option{
		bus.Type(h.event), bus.Where(h.admit), bus.Queue(b.opts.Queue, b.opts.Policy),
	}
	if len(name) <= maxEventType {
		opts = append(opts, bus.Name(name))
	}
	if !h.transactional && !h.once && b.opts.Workers != 1 {
		opts = append(opts, bus.Lanes(b.opts.Workers))
	}
	sub, err := bus.Subscribe(b.client, h.deliver, opts...)
	h.mailbox.sub = sub
	return err
}

// admit is asked, on the publisher's goroutine and once, about each call that is about to be queued.
func (h *handler) admit(bus.Header) bool {
	m := h.mailbox
	if !m.ready.Load() {
		return false
	}
	m.offered.Add(1)
	if h.claim() {
		return true
	}
	h.end()
	return false
}

func (h *handler) deliver(_ context.Context, e bus.Event[Call]) error {
	defer h.end()
	return h.run(e.Payload.args)
}

// end counts a call, and tells who wants to know.
func (h *handler) end() {
	h.mailbox.ended.Add(1)
	if h.bus.attention.Load() != 0 && h.mailbox.idle() {
		h.settled()
	}
}

// settle looks whether the handler is idle, and tells.
func (h *handler) settle() {
	if h.idle() {
		h.settled()
	}
}

// settled ends the subscription of a handler that is gone and has nothing left to do, and wakes those who wait for it to be idle.
func (h *handler) settled() {
	if h.gone.Load() {
		h.mailbox.finish.Do(func() {
			h.mailbox.sub.Close()
			h.bus.finished(h)
		})
	}
	h.bus.bell.ring()
}

// idle reports whether no call is queued or running.
func (h *handler) idle() bool {
	m := h.mailbox
	if m.idle() {
		return true
	}
	select {
	case <-m.sub.Done(): // the bus below was closed
		return true
	default:
	}
	m.dropped.Store(m.sub.Inspect().Dropped)
	return m.idle()
}

// idle reports whether the calls that were offered have ended or are known to be dropped.
func (m *mailbox) idle() bool {
	offered := m.offered.Load()
	return m.ended.Load()+m.dropped.Load() >= offered
}

// finished takes a handler out of those that may have calls left.
func (b *Bus) finished(h *handler) {
	b.attention.Add(-1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asyncs = slices.DeleteFunc(slices.Clone(b.asyncs), func(o *handler) bool { return o == h })
}
