package natsbridge

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	lookAgain  = time.Second     // between two looks at a stream that isn't right, and two attempts at a connection that can't even be begun
	apiTimeout = 2 * time.Second // of one look at the stream
)

// keep holds the connection and the gate until ctx ends.
func (s *Sink) keep(ctx context.Context) {
	conn := s.options.Conn
	if conn == nil {
		if conn = s.connect(ctx); conn == nil {
			return
		}
		defer conn.Close()
	}
	changes := conn.StatusChanged(nats.CONNECTED, nats.RECONNECTING, nats.DISCONNECTED, nats.CLOSED)
	defer conn.RemoveStatusListener(changes)
	js, err := jetstream.New(conn)
	if err != nil {
		s.gate.shut(&StreamError{Stream: s.options.Stream, Err: err})
		<-ctx.Done()
		return
	}
	s.mu.Lock()
	s.stream = js
	s.mu.Unlock()
	s.follow(ctx, conn, changes)
}

// connect returns nil when ctx has ended. What it returns goes on connecting by itself.
func (s *Sink) connect(ctx context.Context) *nats.Conn {
	opts := s.connection
	s.observe(&opts)
	if opts.CustomDialer == nil && opts.Dialer == nil {
		opts.CustomDialer = &cancelDialer{ctx: ctx, dialer: net.Dialer{Timeout: opts.Timeout}}
	}
	for {
		conn, err := opts.Connect()
		if err == nil {
			return conn
		}
		s.note(err)
		if !sleep(ctx, lookAgain) {
			return nil
		}
	}
}

// observe notes why the connection fails, and calls the embedder's own callbacks.
func (s *Sink) observe(opts *nats.Options) {
	onDisconnect, onRetry, onError := opts.DisconnectedErrCB, opts.ReconnectErrCB, opts.AsyncErrorCB
	opts.DisconnectedErrCB = func(c *nats.Conn, err error) {
		s.note(err)
		if onDisconnect != nil {
			onDisconnect(c, err)
		}
	}
	opts.ReconnectErrCB = func(c *nats.Conn, err error) {
		s.note(err)
		if onRetry != nil {
			onRetry(c, err)
		}
	}
	opts.AsyncErrorCB = func(c *nats.Conn, sub *nats.Subscription, err error) {
		s.log.Warn("nats", "error", err)
		if errors.Is(err, nats.ErrPermissionViolation) {
			s.note(err) // what we asked for isn't answered
		}
		if onError != nil {
			onError(c, sub, err)
		}
	}
}

// follow opens the gate when the connection is up and the stream right, and shuts it when one isn't.
func (s *Sink) follow(ctx context.Context, conn *nats.Conn, changes <-chan nats.Status) {
	connected := conn.IsConnected()
	var look *look
	defer func() { look.end() }()
	var rest <-chan time.Time // after a look that didn't please
	for {
		switch {
		case !connected && rest == nil:
			rest = time.After(lookAgain)
		case connected && look == nil && rest == nil && s.isShut():
			s.note(nil)
			look = s.startLook(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case status := <-changes:
			// Whatever was asked over the old connection is never answered.
			look, rest = look.end(), nil
			if connected = status == nats.CONNECTED; !connected {
				s.gate.shut(ErrAway)
			}
		case err := <-look.done():
			look = look.end()
			if err != nil {
				s.gate.shut(s.explain(err))
				rest = time.After(lookAgain)
				continue
			}
			s.gate.open()
		case <-s.doubts:
			rest = nil
		case <-rest:
			rest = nil
			// The client drops the changes that a full channel doesn't take.
			connected = conn.IsConnected()
		}
	}
}

func (s *Sink) isShut() bool {
	_, why := s.gate.pass()
	return why != nil
}

// look is one check of the stream, under way. All methods may be called on nil: there is none.
type look struct {
	result chan error
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func (s *Sink) startLook(ctx context.Context) *look {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	l := &look{result: make(chan error, 1), cancel: cancel}
	l.ended.Go(func() { l.result <- s.ensureStream(ctx) })
	return l
}

func (l *look) done() <-chan error {
	if l == nil {
		return nil
	}
	return l.result
}

// end waits for its end, and returns nil.
func (l *look) end() *look {
	if l != nil {
		l.cancel()
		l.ended.Wait()
	}
	return nil
}

func (s *Sink) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = err
}

// sleep is false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
