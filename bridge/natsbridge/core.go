package natsbridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// CoreOptions of a Core. The zero value publishes to a NATS server on this machine.
type CoreOptions struct {
	URL        string                     // Of the server, or several with commas between. Defaults to nats://127.0.0.1:4222.
	InProcess  nats.InProcessConnProvider // A NATS server embedded in this process (*server.Server), instead of URL. Defaults to none.
	Conn       *nats.Conn                 // A connection to use instead, which stays the caller's. Defaults to one of the sink's own.
	Name       string                     // Of the sink's own connection, as NATS shows it. Defaults to "cloudbus".
	Login      Login                      // Who the sink is to the broker, and by what it knows the broker. Defaults to nobody.
	Connection []nats.Option              // For the sink's own connection, what Login doesn't say: timeouts, proxies. Defaults to none.
	AckTimeout time.Duration              // How long one publish waits for the server to say that it has it, before it is repeated; at most bridge.SendTimeout. Defaults to 5 s.
}

// Core publishes to NATS without a stream: to those who listen at the moment. It is a bridge.Sink.
//
// Acknowledged means that the server has read the message, which it says by answering a ping behind it. Up to there it is at least once, and in order per resource;
// beyond the server it is at most once: a subscriber that isn't connected, or is too slow for the server, doesn't get the message, and nobody is told.
// Nothing drops what is sent twice: a subscriber tells it by the event's id.
type Core struct {
	keeper  *keeper
	timeout time.Duration
	opened  atomic.Bool
	alone   sync.RWMutex // held for writing by who has nobody else publish
}

// NewCore returns a sink, which connects when the bridge opens it. Errors: *bridge.OptionError.
func NewCore(o CoreOptions) (*Core, error) {
	if err := checkAckTimeout(o.AckTimeout); err != nil {
		return nil, err
	}
	link, err := newLink(address{url: o.URL, inProcess: o.InProcess, conn: o.Conn, name: o.Name, login: o.Login, connection: o.Connection})
	if err != nil {
		return nil, err
	}
	connected := func(context.Context, jetstream.JetStream) error { return nil } // is all that is needed
	return &Core{keeper: newKeeper(link, connected), timeout: cmp.Or(o.AckTimeout, defaultAckTimeout)}, nil
}

// Open begins to connect, in the background, again and again for ever. Errors: ErrOpened.
func (c *Core) Open(ctx context.Context, log *slog.Logger) error {
	if !c.opened.CompareAndSwap(false, true) {
		return ErrOpened
	}
	c.keeper.start(ctx, log)
	return nil
}

// Close ends the connection if it is the sink's own.
func (c *Core) Close(context.Context) error {
	c.keeper.close()
	return nil
}

// Ready returns nil when there is a connection.
func (c *Core) Ready(ctx context.Context) error { return c.keeper.gate.wait(ctx) }

// Health says what keeps messages from being sent: ErrAway, ErrClosed.
func (c *Core) Health(context.Context) error { return c.keeper.health() }

// Send publishes m and waits until the server has read it. Errors: *bridge.RejectedError (too large), ErrAway, ErrNoAck, nats.ErrPermissionViolation, what else the server says.
func (c *Core) Send(ctx context.Context, m bridge.Message) error {
	span, err := c.keeper.pass()
	if err != nil {
		return err
	}
	header := bridge.WriteHeader(m.ContentType, m.Attributes)
	header[jetstream.MsgIDHeader] = []string{m.ID} // for a stream that somebody has behind the server
	patience, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	defer context.AfterFunc(span, cancel)()
	err = c.publish(patience, &nats.Msg{Subject: m.Subject, Data: m.Data, Header: header})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case neverTaken(err):
		return &bridge.RejectedError{ID: m.ID, Subject: m.Subject, Err: err}
	case span.Err() != nil:
		return c.keeper.link.explain(context.Cause(span))
	case patience.Err() != nil:
		return c.keeper.link.explain(fmt.Errorf("event %s: %w within %v", m.ID, ErrNoAck, c.timeout))
	}
	return fmt.Errorf("natsbridge: publish event %s: %w", m.ID, err)
}

// errUnsure: the server has refused something, which may have been the message.
var errUnsure = errors.New("natsbridge: the server refused something at the same time")

// publish publishes m, a second time if it isn't sure whether the server took the first: the client tells nothing but the server's latest complaint.
func (c *Core) publish(ctx context.Context, m *nats.Msg) error {
	c.alone.RLock()
	err := c.try(ctx, m)
	c.alone.RUnlock()
	if !errors.Is(err, errUnsure) {
		return err
	}
	c.alone.Lock()
	defer c.alone.Unlock()
	return c.try(ctx, m)
}

// try returns when the server has answered a ping that went behind m on the same connection. Errors: errUnsure, what the server says of m.
func (c *Core) try(ctx context.Context, m *nats.Msg) error {
	if err := checkSubject(m.Subject); err != nil {
		return err
	}
	conn := c.keeper.jetStream().Conn()
	connected, complaint := conn.Stats().Reconnects, conn.LastError()
	if err := conn.PublishMsg(m); err != nil {
		return err
	}
	if err := conn.FlushWithContext(ctx); err != nil {
		return err
	}
	if conn.Stats().Reconnects != connected {
		return fmt.Errorf("%w: it broke behind the message", ErrAway)
	}
	switch latest := conn.LastError(); {
	case errors.Is(latest, complaint):
		return nil
	case errors.Is(latest, nats.ErrPermissionViolation) && strings.Contains(latest.Error(), strconv.Quote(m.Subject)):
		return latest
	default:
		return fmt.Errorf("%w: %w", errUnsure, latest)
	}
}

var (
	_ bridge.Sink     = (*Core)(nil)
	_ bridge.Opener   = (*Core)(nil)
	_ bridge.Readier  = (*Core)(nil)
	_ bridge.Healther = (*Core)(nil)
	_ bridge.Closer   = (*Core)(nil)
)
