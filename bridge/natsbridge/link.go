package natsbridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/nats-io/nats.go"
)

const (
	defaultName   = "cloudbus"
	reconnectWait = 500 * time.Millisecond // between two rounds through the servers; nats.go adds some chance
)

// address is what the options of all that connects have in common.
type address struct {
	url        string
	inProcess  nats.InProcessConnProvider
	conn       *nats.Conn
	name       string
	login      Login
	connection []nats.Option
}

// link is the way to a broker: a connection of our own, made again and again for ever, or the caller's; and what it complained about last.
type link struct {
	given   *nats.Conn   // the caller's
	options nats.Options // of our own
	login   Login

	mu   sync.Mutex
	last error // nil while all is well
}

// newLink checks an address. Errors: *bridge.OptionError.
func newLink(a address) (*link, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	l := &link{given: a.conn, login: a.login}
	if a.conn != nil {
		return l, nil
	}
	var err error
	l.options, err = a.options()
	return l, err
}

func (a address) check() error {
	wrong := func(option string, value any, reason string) error {
		return &bridge.OptionError{Option: option, Value: value, Reason: reason}
	}
	servers := a.servers()
	switch {
	case a.conn != nil && (a.url != "" || a.inProcess != nil || a.connection != nil || a.name != "" || a.login != (Login{})):
		return wrong("Conn", "given", "excludes URL, InProcess, Connection, Login and Name")
	case isNil(a.inProcess):
		return wrong("InProcess", "a nil pointer", "must be a server, or nothing at all")
	case a.inProcess != nil && a.url != "":
		return wrong("InProcess", "given", "excludes URL")
	case a.url != "" && len(servers) == 0:
		return wrong("URL", a.url, "has no server: must be as nats://host:4222, several with commas between")
	}
	for _, server := range servers {
		if !strings.Contains(server, "://") {
			server = "nats://" + server
		}
		u, err := url.Parse(server)
		if err != nil || u.Host == "" {
			return wrong("URL", redacted(server), "must be as nats://host:4222, several with commas between")
		}
		if u.User != nil && a.login.identity() {
			return wrong("URL", redacted(server), "must not name a user beside Login")
		}
	}
	return a.login.check()
}

// isNil reports whether a server is a pointer that is nil: the client would panic on a goroutine of ours.
func isNil(server nats.InProcessConnProvider) bool {
	v := reflect.ValueOf(server)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// redacted hides who a server's URL, be it right or wrong, logs in as.
func redacted(server string) string {
	at := strings.LastIndexByte(server, '@')
	if at < 0 {
		return server
	}
	scheme, _, _ := strings.Cut(server, "://")
	return scheme + "://(hidden)" + server[at:]
}

func (a address) servers() []string {
	var servers []string
	for server := range strings.SplitSeq(a.url, ",") {
		if server = strings.TrimSpace(server); server != "" {
			servers = append(servers, server)
		}
	}
	return servers
}

// options returns those of our own connection. Last come those that our promises stand on.
func (a address) options() (nats.Options, error) {
	opts := nats.GetDefaultOptions()
	if opts.Servers = a.servers(); len(opts.Servers) == 0 {
		opts.Servers = []string{nats.DefaultURL}
	}
	opts.Name = cmp.Or(a.name, defaultName)
	opts.ReconnectWait = reconnectWait
	if err := a.login.apply(&opts); err != nil {
		return opts, err
	}
	for _, set := range a.connection {
		if set == nil {
			continue
		}
		if err := set(&opts); err != nil {
			return opts, &bridge.OptionError{Option: "Connection", Value: "nats.Option", Reason: err.Error()}
		}
	}
	opts.AllowReconnect, opts.MaxReconnect = true, -1
	opts.RetryOnFailedConnect = true
	opts.IgnoreAuthErrorAbort = true
	// A message that can't go out now fails now: the sender repeats it in its order, which a buffer in the client would not know.
	opts.ReconnectBufSize = -1
	if a.inProcess != nil {
		opts.InProcessServer = a.inProcess
	}
	return opts, nil
}

// connect returns the caller's connection, or begins one of our own, which goes on connecting by itself. It returns nil when ctx has ended; a connection of our own lives no longer than ctx.
func (l *link) connect(ctx context.Context, log *slog.Logger) *nats.Conn {
	if l.given != nil {
		return l.given
	}
	opts := l.options
	l.observe(&opts, log)
	if opts.CustomDialer == nil && opts.Dialer == nil {
		opts.CustomDialer = &cancelDialer{ctx: ctx, dialer: net.Dialer{Timeout: opts.Timeout}}
	}
	for {
		conn, err := opts.Connect()
		if err == nil {
			return conn
		}
		l.note(err)
		if !sleep(ctx, lookAgain) {
			return nil
		}
	}
}

// over reports whether a connection of our own has ended for good, and notes why.
func (l *link) over(conn *nats.Conn) bool {
	if l.given != nil || !conn.IsClosed() {
		return false
	}
	l.ask(conn)
	return true
}

// release closes a connection that isn't the caller's.
func (l *link) release(conn *nats.Conn) {
	if l.given == nil {
		conn.Close()
	}
}

// observe notes why the connection fails, and calls the embedder's own callbacks.
func (l *link) observe(opts *nats.Options, log *slog.Logger) {
	onDisconnect, onRetry, onError := opts.DisconnectedErrCB, opts.ReconnectErrCB, opts.AsyncErrorCB
	opts.DisconnectedErrCB = func(c *nats.Conn, err error) {
		l.note(err)
		if onDisconnect != nil {
			onDisconnect(c, err)
		}
	}
	opts.ReconnectErrCB = func(c *nats.Conn, err error) {
		l.note(err)
		if onRetry != nil {
			onRetry(c, err)
		}
	}
	opts.AsyncErrorCB = func(c *nats.Conn, sub *nats.Subscription, err error) {
		log.Warn("nats", "error", err)
		if errors.Is(err, nats.ErrPermissionViolation) {
			l.note(err) // what we asked for isn't answered
		}
		if onError != nil {
			onError(c, sub, err)
		}
	}
}

// ask notes why a connection isn't there: nats.go has no callback for an attempt that fails at TLS or at the login.
func (l *link) ask(conn *nats.Conn) {
	err := conn.LastError()
	if fault := l.login.fault(time.Now()); fault != nil && err != nil {
		err = fmt.Errorf("%w; %w", fault, err)
	} else if fault != nil {
		err = fault
	}
	if err != nil {
		l.note(err)
	}
}

func (l *link) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = err
}

// explain adds what the connection has said about why there is no answer.
func (l *link) explain(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	silence := errors.Is(err, ErrAway) || errors.Is(err, ErrNoAck) || errors.Is(err, context.DeadlineExceeded)
	if l.last == nil || !silence || errors.Is(err, l.last) {
		return err
	}
	return fmt.Errorf("%w: %w", err, l.last)
}

// cancelDialer lets Close end a dial. It dials for one connection, whose life ctx is.
type cancelDialer struct {
	ctx    context.Context
	dialer net.Dialer
}

func (d *cancelDialer) Dial(network, address string) (net.Conn, error) {
	conn, err := d.dialer.DialContext(d.ctx, network, address)
	if err != nil {
		return nil, err
	}
	return coalesce(conn), nil
}
