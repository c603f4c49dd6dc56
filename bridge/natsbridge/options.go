package natsbridge

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/nats-io/nats.go"
)

// Options of a Sink. The zero value publishes to a NATS server on this machine.
type Options struct {
	URL        string                     // Of the server, or several with commas between. Defaults to nats://127.0.0.1:4222.
	InProcess  nats.InProcessConnProvider // A NATS server embedded in this process (*server.Server), instead of URL. Defaults to none.
	Conn       *nats.Conn                 // A connection to use instead, which stays the caller's. Defaults to one of the sink's own.
	Name       string                     // Of the sink's own connection, as NATS shows it. Defaults to "cloudbus".
	Connection []nats.Option              // For the sink's own connection: TLS, credentials, timeouts. Defaults to none.

	Stream     string        // Defaults to "cloudbus".
	Replicas   int           // Of a stream that the sink creates. Defaults to 1.
	MaxAge     time.Duration // Of messages in a stream that the sink creates. Defaults to for ever.
	MaxBytes   int64         // Of a stream that the sink creates; beyond it the oldest messages go. Defaults to without end.
	Duplicates time.Duration // How long a stream that the sink creates knows repeats by their id. Defaults to 10 minutes, or MaxAge if that is less.
	AckTimeout time.Duration // How long one publish waits for its acknowledgement before it is repeated; at most bridge.SendTimeout. Defaults to 5 s.
}

const (
	defaultName       = "cloudbus"
	defaultStream     = "cloudbus"
	defaultDuplicates = 10 * time.Minute
	defaultAckTimeout = 5 * time.Second
	reconnectWait     = 500 * time.Millisecond
)

func (o Options) withDefaults() (Options, error) {
	if err := o.check(); err != nil {
		return o, err
	}
	o.Name = cmp.Or(o.Name, defaultName)
	o.URL = cmp.Or(o.URL, nats.DefaultURL)
	o.Stream = cmp.Or(o.Stream, defaultStream)
	o.Replicas = cmp.Or(o.Replicas, 1)
	o.AckTimeout = cmp.Or(o.AckTimeout, defaultAckTimeout)
	if o.Duplicates == 0 {
		o.Duplicates = defaultDuplicates
		if o.MaxAge > 0 {
			o.Duplicates = min(o.Duplicates, o.MaxAge)
		}
	}
	return o, nil
}

func (o Options) check() error {
	wrong := func(option string, value any, reason string) error {
		return &bridge.OptionError{Option: option, Value: value, Reason: reason}
	}
	switch {
	case o.Conn != nil && (o.URL != "" || o.InProcess != nil || o.Connection != nil || o.Name != ""):
		return wrong("Conn", "given", "excludes URL, InProcess, Connection and Name")
	case o.InProcess != nil && o.URL != "":
		return wrong("InProcess", "given", "excludes URL")
	case strings.ContainsAny(o.Stream, ". *>/\\\t\r\n"):
		return wrong("Stream", o.Stream, `must not contain spaces, ".", "*", ">", "/" or "\"`)
	case o.Replicas < 0 || o.Replicas > 5:
		return wrong("Replicas", o.Replicas, "must be 1 to 5")
	case o.MaxAge < 0:
		return wrong("MaxAge", o.MaxAge, "must not be negative")
	case o.MaxBytes < 0:
		return wrong("MaxBytes", o.MaxBytes, "must not be negative")
	case o.AckTimeout < 0:
		return wrong("AckTimeout", o.AckTimeout, "must not be negative")
	case o.AckTimeout > bridge.SendTimeout:
		return wrong("AckTimeout", o.AckTimeout, fmt.Sprintf("must be at most %v, when the bridge gives a publish up", bridge.SendTimeout))
	case o.URL != "" && len(o.servers()) == 0:
		return wrong("URL", o.URL, "has no server: must be as nats://host:4222, several with commas between")
	case o.Duplicates < 0 || o.Duplicates > 0 && o.Duplicates < 100*time.Millisecond:
		return wrong("Duplicates", o.Duplicates, "must be at least 100ms")
	case o.MaxAge > 0 && o.Duplicates > o.MaxAge:
		return wrong("Duplicates", o.Duplicates, "must not be longer than MaxAge")
	}
	for _, server := range o.servers() {
		if u, err := url.Parse(server); err != nil || u.Host == "" && strings.Contains(server, "://") {
			return wrong("URL", server, "must be as nats://host:4222, several with commas between")
		}
	}
	return nil
}

func (o Options) servers() []string {
	var servers []string
	for server := range strings.SplitSeq(o.URL, ",") {
		if server = strings.TrimSpace(server); server != "" {
			servers = append(servers, server)
		}
	}
	return servers
}

// connection returns the options of the sink's own connection. Last come those that the sink's promises stand on.
func (o Options) connection() (nats.Options, error) {
	opts := nats.GetDefaultOptions()
	opts.Servers = o.servers()
	opts.Name = o.Name
	opts.ReconnectWait = reconnectWait
	for _, set := range o.Connection {
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
	// A message that can't go out now fails now: the bridge repeats it in its order, which a buffer in the client would not know.
	opts.ReconnectBufSize = -1
	if o.InProcess != nil {
		opts.InProcessServer = o.InProcess
	}
	return opts, nil
}

// cancelDialer lets Close end a dial. It dials for one connection, whose life ctx is.
type cancelDialer struct {
	ctx    context.Context
	dialer net.Dialer
}

func (d *cancelDialer) Dial(network, address string) (net.Conn, error) {
	return d.dialer.DialContext(d.ctx, network, address)
}
