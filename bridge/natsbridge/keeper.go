package natsbridge

import (
	"context"
	"net"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	lookAgain  = time.Second     // between two looks at a stream that isn't right, and two attempts at a connection that can't even be begun
	apiTimeout = 5 * time.Second // of one request to the JetStream API
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
		if onError != nil {
			onError(c, sub, err)
		}
	}
}

// follow opens the gate when the connection is up and the stream right, and shuts it when one isn't.
func (s *Sink) follow(ctx context.Context, conn *nats.Conn, changes <-chan nats.Status) {
	connected := conn.IsConnected()
	for {
		var again <-chan time.Time
		if !connected || !s.look(ctx) {
			again = time.After(lookAgain)
		}
		select {
		case <-ctx.Done():
			return
		case status := <-changes:
			if connected = status == nats.CONNECTED; !connected {
				s.gate.shut(ErrAway)
			}
		case <-s.doubts:
		case <-again:
			// The client drops what a full channel of changes doesn't take.
			connected = conn.IsConnected()
		}
	}
}

// look checks the stream if the gate is shut, and reports whether it is open now.
func (s *Sink) look(ctx context.Context) bool {
	if _, why := s.gate.pass(); why == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	if err := s.ensureStream(ctx); err != nil {
		s.gate.shut(err)
		return false
	}
	s.note(nil)
	s.gate.open()
	return true
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
