package amqpbridge

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	connectTimeout = 10 * time.Second // to connect and log in, unless the URL has a connection_timeout
	writeTimeout   = 30 * time.Second // of one write to a broker that neither reads nor hangs up
	closeTimeout   = time.Second      // for the broker's good-bye
)

// link is a connection to the broker, with what the broker says about blocking it.
type link struct {
	conn    *amqp.Connection
	raw     net.Conn
	gate    *gate
	watcher sync.WaitGroup

	mu      sync.Mutex
	session *session // that the gate opens for; nil until it is there
	blocked error    // *BlockedError while the broker takes nothing
	retired bool
}

// dial connects and logs in; the end of ctx ends it.
func (s *Sink) dial(ctx context.Context, server string) (*link, error) {
	uri, err := amqp.ParseURI(server)
	if err != nil {
		return nil, reasonOf(err)
	}
	timeout := connectTimeout
	if uri.ConnectionTimeout > 0 {
		timeout = time.Duration(uri.ConnectionTimeout) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	l := &link{gate: s.gate}
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName(s.options.Name)
	stop := func() bool { return true }
	l.conn, err = amqp.DialConfig(server, amqp.Config{
		Properties:      properties,
		TLSClientConfig: s.options.TLS.Clone(), // the client writes into it
		Dial: func(network, address string) (net.Conn, error) {
			tcp, err := new(net.Dialer).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			l.raw = &boundedConn{tcp}
			stop = context.AfterFunc(ctx, func() { _ = tcp.Close() })
			return l.raw, nil
		},
	})
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		if l.raw != nil {
			_ = l.raw.Close()
		}
		if ctx.Err() != nil {
			err = fmt.Errorf("no login within %v: %w", timeout, err)
		}
		return nil, err
	}
	blockings := l.conn.NotifyBlocked(make(chan amqp.Blocking))
	l.watcher.Go(func() { l.watch(blockings) })
	return l, nil
}

// admit opens the gate for a session on this link, if the broker isn't blocked already.
func (l *link) admit(to *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.session = to
	l.turn()
}

// retire shuts the gate for good, as far as this link goes, whatever the broker says after that.
func (l *link) retire(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.retired {
		l.retired = true
		l.gate.shut(why)
	}
}

// watch ends with the connection.
func (l *link) watch(blockings <-chan amqp.Blocking) {
	for b := range blockings {
		l.mu.Lock()
		l.blocked = nil
		if b.Active {
			l.blocked = &BlockedError{Reason: b.Reason}
		}
		l.turn()
		l.mu.Unlock()
	}
}

// turn sets the gate. Call it with mu held.
func (l *link) turn() {
	switch {
	case l.session == nil, l.retired:
	case l.blocked != nil:
		l.gate.shut(l.blocked)
	default:
		l.gate.open(l.session)
	}
}

// end closes the connection. A broker that doesn't say good-bye in time is left without.
func (l *link) end() {
	// The client's own CloseDeadline doesn't hold: each heartbeat moves the deadline.
	late := time.AfterFunc(closeTimeout, func() { _ = l.raw.Close() })
	_ = l.conn.Close()
	late.Stop()
	_ = l.raw.Close()
	l.watcher.Wait()
}

// boundedConn lets no write wait for ever.
type boundedConn struct{ net.Conn }

func (c *boundedConn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}
