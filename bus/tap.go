package bus

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Tap shows the headers of all events that pass, matched or not. It is bounded and lossy: nobody ever waits for who reads it.
type Tap struct {
	bus    *Bus
	ch     chan Header
	missed atomic.Uint64

	mu     sync.Mutex // a header is never sent to a closed channel
	closed bool
}

// maxTap is the room of a tap at most.
const maxTap = 1 << 20

// Tap returns a tap with room for n headers (at least 1, at most 1,048,576). Close it when it is no longer read.
func (b *Bus) Tap(n int) *Tap {
	t := &Tap{bus: b, ch: make(chan Header, min(max(n, 1), maxTap))}
	b.mu.Lock()
	defer b.mu.Unlock()
	var taps []*Tap
	if old := b.taps.Load(); old != nil {
		taps = slices.Clone(*old)
	}
	taps = append(taps, t)
	b.taps.Store(&taps)
	return t
}

// Headers is what passes. It is closed by Close.
func (t *Tap) Headers() <-chan Header { return t.ch }

// Missed counts the headers for which there was no room.
func (t *Tap) Missed() uint64 { return t.missed.Load() }

// Close ends the tap.
func (t *Tap) Close() {
	t.bus.mu.Lock()
	if old := t.bus.taps.Load(); old != nil {
		taps := slices.DeleteFunc(slices.Clone(*old), func(o *Tap) bool { return o == t })
		t.bus.taps.Store(&taps)
		if len(taps) == 0 {
			t.bus.taps.Store(nil)
		}
	}
	t.bus.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.closed = true
		close(t.ch)
	}
}

func (t *Tap) show(h *Header) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	select {
	case t.ch <- *h:
	default:
		t.missed.Add(1)
	}
}

// tapped shows a header to the taps.
func (b *Bus) tapped(taps []*Tap, h *Header) {
	for _, t := range taps {
		t.show(h)
	}
}
