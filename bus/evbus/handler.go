package evbus

import (
	"errors"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// handler is a function that is subscribed to a topic.
type handler struct {
	bus           *Bus
	topic         string
	event         string // type of the topic's events
	id            identity
	invoke        invoker
	once          bool
	transactional bool
	mailbox       *mailbox    // nil: runs on the publisher's goroutine
	gone          atomic.Bool // unsubscribed, or a once that has had its turn

	failed   atomic.Uint64
	err      atomic.Pointer[error]
	failures limiter // of log lines
}

// newHandler checks a function.
func (b *Bus) newHandler(topic string, fn any) (*handler, error) {
	id, err := checked(topic, fn)
	if err != nil {
		return nil, err
	}
	return &handler{bus: b, topic: topic, event: eventType(b.client.Name(), topic), id: id, invoke: b.direct.Load().invoker(fn)}, nil
}

// claim reports whether the handler takes a call that is being published; a once takes one.
func (h *handler) claim() bool {
	if !h.once {
		return !h.gone.Load()
	}
	if !h.leave() {
		return false
	}
	h.bus.drop(h)
	return true
}

// leave ends the handler's part in later calls; false: it had ended before.
func (h *handler) leave() bool {
	if !h.gone.CompareAndSwap(false, true) {
		return false
	}
	if h.mailbox != nil {
		h.bus.attention.Add(1) // until it is finished
		h.settle()
	}
	return true
}

var errGoexit = errors.New("evbus: handler ended its goroutine (runtime.Goexit)")

// run calls the function, and counts if that fails. A panic ends here.
func (h *handler) run(args []any) (err error) {
	err = errGoexit
	defer func() {
		if r := recover(); r != nil {
			err = &bus.PanicError{Value: r, Stack: debug.Stack()}
		}
		if err != nil {
			err = h.explain(err)
			h.note(err)
		}
	}()
	err = h.invoke(args)
	ask(err)
	return err
}

// ask panics if the methods of err do, as those of a nil pointer that was returned as an error mostly do: that is a panic of the handler then.
func ask(err error) {
	if err != nil {
		_ = err.Error()
		_ = errors.Is(err, bus.Stop) // looks at all that it wraps
	}
}

// explain says whose error it is.
func (h *handler) explain(err error) error {
	e := &HandlerError{Topic: h.topic, Handler: h.id.String(), Err: err}
	if errors.Is(err, bus.Stop) {
		e.Err = errors.New(err.Error()) // means nothing here
	}
	return e
}

// note counts a failure. Those of synchronous handlers are logged once in a while; the bus below logs the others.
func (h *handler) note(err error) {
	h.bus.failed.Add(1)
	h.failed.Add(1)
	h.err.Store(&err)
	if h.mailbox != nil {
		return
	}
	more, ok := h.failures.allow(time.Now())
	if !ok {
		return
	}
	attrs := []any{slog.String("topic", h.topic), slog.String("handler", h.id.String()), slog.Any("error", err)}
	if more > 0 {
		attrs = append(attrs, slog.Uint64("not_logged", more))
	}
	var p *bus.PanicError
	if errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.Stack)))
	}
	h.bus.log.Error("evbus: handler failed", attrs...)
}
