package amqpbridge

import (
	"context"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
)

// session is one connection, from the moment when messages can be sent over it to its end.
type session struct {
	link     *link
	pipe     *pipe
	options  Options
	suspects *suspects
	posts    chan *parcel // to the goroutine that publishes
	loners   chan *parcel // to the one that sends each on a channel of its own
	ctx      context.Context
	stop     context.CancelFunc
	workers  sync.WaitGroup

	mu      sync.Mutex
	parcels map[string]*parcel // by message id: under way, or settled while nobody waited
}

// begin makes the exchange sure and starts a session on l, which is the session's from then on. Errors: *ExchangeError, ErrAway.
func begin(l *link, o Options, s *suspects) (*session, error) {
	if err := ensureExchange(l.conn, o); err != nil {
		return nil, err
	}
	p, err := openPipe(l.conn, o, s, l.retire)
	if err != nil {
		return nil, err
	}
	to := &session{
		link: l, pipe: p, options: o, suspects: s,
		posts: make(chan *parcel), loners: make(chan *parcel), parcels: map[string]*parcel{},
	}
	to.ctx, to.stop = context.WithCancel(context.Background())
	to.workers.Go(func() { to.work(to.posts, to.pipe.publish) })
	to.workers.Go(func() { to.work(to.loners, to.sendAlone) })
	return to, nil
}

// end closes the connection and waits for all that the session has started.
func (to *session) end() {
	to.stop()
	to.link.end()
	<-to.pipe.done
	to.workers.Wait()
}

func (to *session) work(from <-chan *parcel, send func(*parcel)) {
	for {
		select {
		case pc := <-from:
			send(pc)
		case <-to.ctx.Done():
			return
		}
	}
}

// post hands m to the publisher, or finds the parcel of m that is under way already, or was confirmed while nobody waited for it.
func (to *session) post(ctx, span context.Context, m bridge.Message, alone bool) (*parcel, error) {
	to.mu.Lock()
	if known := to.parcels[m.ID]; known != nil && (!known.isSettled() || known.err == nil) {
		to.mu.Unlock()
		return known, nil
	}
	pc := newParcel(m, alone)
	to.parcels[m.ID] = pc
	to.mu.Unlock()

	queue := to.posts
	if alone {
		queue = to.loners
	}
	var err error
	select {
	case queue <- pc:
		return pc, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-span.Done():
		err = context.Cause(span)
	}
	pc.settle(err)
	to.forget(pc)
	return nil, err
}

// forget is called by who has learnt the outcome of a parcel.
func (to *session) forget(pc *parcel) {
	to.mu.Lock()
	defer to.mu.Unlock()
	if to.parcels[pc.id] == pc {
		delete(to.parcels, pc.id)
	}
}

// sendAlone publishes on a channel that is there for nothing else, so that what the broker says of it is about this parcel.
func (to *session) sendAlone(pc *parcel) {
	p, err := openPipe(to.link.conn, to.options, to.suspects, func(error) {})
	if err != nil {
		pc.settle(err)
		return
	}
	defer p.close()
	p.publish(pc)
	patience := time.NewTimer(bridge.SendTimeout)
	defer patience.Stop()
	select {
	case <-pc.settled:
	case <-patience.C:
	case <-to.ctx.Done():
	}
}
