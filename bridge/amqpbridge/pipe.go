package amqpbridge

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	amqp "github.com/rabbitmq/amqp091-go"
)

// pipe is an AMQP channel that publishes to one exchange and has every message confirmed. One goroutine at a time may publish.
type pipe struct {
	channel   *amqp.Channel
	exchange  string
	mandatory bool
	suspects  *suspects
	ending    func(error)      // told what ended the channel, before anybody else is
	closes    chan *amqp.Error // why the channel ended
	returns   chan amqp.Return
	confirms  chan amqp.Confirmation
	done      chan struct{} // closed when the channel has ended and all parcels are settled
	fault     error         // that all unconfirmed parcels were settled with; to be read after done
	useful    atomic.Bool   // whether anything was confirmed

	mu       sync.Mutex
	awaited  map[uint64]*parcel // by delivery tag
	returned map[string]string  // message id → what the broker said when it gave the message back
}

// openPipe opens a channel on conn. The goroutine that reads the broker's answers ends with the channel, which close or the end of conn ends.
func openPipe(conn *amqp.Connection, o Options, s *suspects, ending func(error)) (*pipe, error) {
	channel, err := conn.Channel()
	if err != nil {
		return nil, fmt.Errorf("%w: open a channel: %w", ErrAway, err)
	}
	p := &pipe{
		channel: channel, exchange: o.Exchange, mandatory: o.Mandatory, suspects: s, ending: ending,
		done: make(chan struct{}), awaited: map[uint64]*parcel{}, returned: map[string]string{},
		closes: channel.NotifyClose(make(chan *amqp.Error, 1)),
		// Without buffers: the client hands over what the broker says in the broker's order, and a return comes before the confirmation of its message.
		returns:  channel.NotifyReturn(make(chan amqp.Return)),
		confirms: channel.NotifyPublish(make(chan amqp.Confirmation)),
	}
	go p.answers()
	if err := channel.Confirm(false); err != nil {
		_ = channel.Close()
		<-p.done
		return nil, fmt.Errorf("%w: ask for confirmations: %w", ErrAway, err)
	}
	return p, nil
}

// publish hands a parcel to the broker; it is settled when the broker answers, or the channel ends.
func (p *pipe) publish(pc *parcel) {
	tag := p.channel.GetNextPublishSeqNo()
	p.mu.Lock()
	p.awaited[tag] = pc
	p.mu.Unlock()
	err := p.channel.PublishWithContext(context.Background(), p.exchange, pc.key, p.mandatory, false, pc.publishing)
	if err == nil {
		return
	}
	p.mu.Lock()
	delete(p.awaited, tag)
	p.mu.Unlock()
	err = fmt.Errorf("%w: %w", ErrAway, err)
	if p.channel.IsClosed() {
		<-p.done
		err = p.fault // says more
	}
	pc.settle(err)
}

// close ends the channel and waits for what the broker still says.
func (p *pipe) close() {
	_ = p.channel.Close()
	<-p.done
}

// answers settles parcels until the channel ends.
func (p *pipe) answers() {
	defer close(p.done)
	returns := p.returns
	for {
		select {
		case r, open := <-returns:
			if !open {
				returns = nil
				continue
			}
			p.mu.Lock()
			p.returned[r.MessageId] = r.ReplyText
			p.mu.Unlock()
		case c, open := <-p.confirms:
			if !open {
				p.end()
				return
			}
			p.confirmed(c)
		}
	}
}

func (p *pipe) confirmed(c amqp.Confirmation) {
	p.mu.Lock()
	pc := p.awaited[c.DeliveryTag]
	delete(p.awaited, c.DeliveryTag)
	var back string
	var unroutable bool
	if pc != nil {
		back, unroutable = p.returned[pc.id]
		delete(p.returned, pc.id)
	}
	p.mu.Unlock()
	switch {
	case pc == nil: // of a publish that failed on our side
	case unroutable:
		pc.settle(fmt.Errorf("%w: event %s on %s: %s", ErrUnroutable, pc.id, pc.key, back))
	case !c.Ack:
		pc.settle(fmt.Errorf("%w: event %s on %s", ErrNack, pc.id, pc.key))
	default:
		p.useful.Store(true)
		pc.settle(nil)
	}
}

// end settles what has not been confirmed, with what ended the channel.
func (p *pipe) end() {
	p.fault = ErrAway
	if err := <-p.closes; err != nil {
		p.fault = fmt.Errorf("%w: %w", ErrAway, err)
	}
	p.ending(p.fault)
	p.mu.Lock()
	left := p.awaited
	p.awaited = map[uint64]*parcel{}
	p.mu.Unlock()
	for _, pc := range left {
		if ofMessage(p.fault) {
			p.suspects.add(pc.id)
		}
		pc.settle(p.fault)
	}
}

// ofMessage reports whether err is an exception by which a broker ends a channel over one message: it is too large or has something in it
// that the broker doesn't take, or the user may not publish to its routing key.
func ofMessage(err error) bool {
	switch codeOf(err) {
	case amqp.AccessRefused, amqp.PreconditionFailed, amqp.ContentTooLarge:
		return true
	}
	return false
}

// codeOf is the reply code of a broker's exception, 0 if err is none.
func codeOf(err error) int {
	var exception *amqp.Error
	if errors.As(err, &exception) && exception.Server {
		return exception.Code
	}
	return 0
}
