package evbus

// Inspection is what a Bus is doing now.
type Inspection struct {
	Handlers []Info
	Failed   uint64 // calls that failed, of handlers that are gone too, and calls that the bus below refused
}

// Info is a handler.
type Info struct {
	Topic         string
	Handler       string // the function's name and type
	Async         bool
	Transactional bool
	Once          bool
	Failed        uint64 // calls with wrong arguments, panics, and errors that were returned; they are counted when WaitAsync returns
	Err           error  // of the last of them, a *HandlerError
	Waiting       int    // calls in its queue, if asynchronous
	Dropped       uint64 // calls that its full queue lost
}

// Inspect lists the handlers, each topic's in the order of subscribing, topics in no order. Bus.Inspect of the bus below says more of asynchronous ones.
func (b *Bus) Inspect() Inspection {
	i := Inspection{Failed: b.failed.Load()}
	for _, r := range b.all() {
		for _, h := range r.handlers {
			i.Handlers = append(i.Handlers, h.info())
		}
	}
	return i
}

func (h *handler) info() Info {
	i := Info{
		Topic: h.topic, Handler: h.id.String(), Async: h.mailbox != nil, Transactional: h.transactional, Once: h.once,
		Failed: h.failed.Load(),
	}
	if err := h.err.Load(); err != nil {
		i.Err = *err
	}
	if h.mailbox != nil {
		sub := h.mailbox.sub.Inspect()
		i.Waiting, i.Dropped = sub.Depth, sub.Dropped
	}
	return i
}
