package journal

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

const (
	// hintEvery is how long after a hint the next one may be sent.
	hintEvery = 5 * time.Millisecond
	hintTime  = 2 * time.Second
)

// hints tell other servers on the database that there is news, and hear of theirs. They may be late or lost: polling finds what they don't tell.
type hints struct {
	j      *Journal
	notify func(context.Context, string) error // nil: there are no other servers
	listen func(context.Context, func(string))
	cancel context.CancelFunc
	ended  sync.WaitGroup
	kick   chan struct{} // capacity 1

	mu    sync.Mutex
	last  uint64   // the newest number that was committed here and not told of
	names []string // of leases that were released
}

func newHints(j *Journal, o Options) *hints {
	return &hints{j: j, notify: o.Notify, listen: o.Listen, kick: make(chan struct{}, 1)}
}

// start begins to tell and to hear.
func (h *hints) start() {
	if h.notify == nil || h.listen == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel = cancel
	h.ended.Go(func() { h.tell(ctx) })
	h.ended.Go(func() { h.listen(ctx, h.heard) })
}

func (h *hints) close() {
	if h.cancel != nil {
		h.cancel()
	}
	h.ended.Wait()
}

// after is what a bus is told of a commit by, and other servers after it.
func (h *hints) after(a bus.Attachment) func([]bus.Record) {
	committed, wake := a.Committed, a.Wake
	return func(records []bus.Record) {
		last := records[len(records)-1].Seq
		if committed != nil {
			committed(records)
		} else {
			wake(last)
		}
		h.committed(last)
	}
}

// committed is called after each commit of events. It never blocks.
func (h *hints) committed(last uint64) {
	if h.cancel == nil {
		return
	}
	h.mu.Lock()
	h.last = max(h.last, last)
	h.mu.Unlock()
	h.soon()
}

// freed tells at once that a lease was released.
func (h *hints) freed(name string) {
	if h.cancel == nil {
		return
	}
	h.mu.Lock()
	h.names = append(h.names, name)
	h.mu.Unlock()
	h.soon()
}

func (h *hints) soon() {
	select {
	case h.kick <- struct{}{}:
	default:
	}
}

// tell sends the first hint at once and gathers what comes in the time after it.
func (h *hints) tell(ctx context.Context) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-h.kick:
		case <-ctx.Done():
			h.send() // leases that were released last
			return
		}
		h.send()
		pause.Reset(hintEvery)
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
	}
}

// send ends what it has begun, though the journal is being closed.
func (h *hints) send() {
	h.mu.Lock()
	last, names := h.last, h.names
	h.last, h.names = 0, nil
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), hintTime)
	defer cancel()
	if last > 0 {
		h.sendOne(ctx, "seq "+strconv.FormatUint(last, 10))
	}
	for _, name := range names {
		h.sendOne(ctx, "free "+name)
	}
}

func (h *hints) sendOne(ctx context.Context, text string) {
	if err := h.notify(ctx, h.j.instance+" "+text); err != nil {
		h.j.logger.Debug("journal: other servers couldn't be told of news; they will find it", "error", err)
	}
}

// heard is called with each hint, our own too, and with "" when some may have been lost.
func (h *hints) heard(hint string) {
	from, rest, _ := strings.Cut(hint, " ")
	if from == h.j.instance {
		return
	}
	what, value, _ := strings.Cut(rest, " ")
	switch what {
	case "":
		h.catchUp()
	case "seq":
		if last, err := strconv.ParseUint(value, 10, 63); err == nil {
			h.wake(last)
		}
	case "free":
		if h.j.leases != nil {
			h.j.leases.free(value)
		}
	}
}

// catchUp asks the database what hints would have told.
func (h *hints) catchUp() {
	ctx, cancel := context.WithTimeout(context.Background(), hintTime)
	defer cancel()
	if _, last, err := h.j.Bounds(ctx); err == nil {
		h.wake(last)
	}
	if h.j.leases != nil {
		h.j.leases.freeAll()
	}
}

func (h *hints) wake(last uint64) {
	if a := h.j.attachment.Load(); a != nil {
		a.Wake(last)
	}
}
