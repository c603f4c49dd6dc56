package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
)

// brokerStart is how long the embedded NATS server may take to come up: it reads its streams from disk.
const brokerStart = 30 * time.Second

// startBroker starts a NATS server with JetStream inside this process. Its streams are files in dir. It opens a socket only if
// listen, host:port, isn't empty.
func startBroker(dir, listen string, log *slog.Logger) (*natsserver.Server, error) {
	o := &natsserver.Options{
		ServerName:             "cloudbus",
		DontListen:             listen == "",
		JetStream:              true,
		StoreDir:               dir,
		NoSigs:                 true,
		DisableJetStreamBanner: true,
	}
	if listen != "" {
		if err := listenOn(o, listen); err != nil {
			return nil, err
		}
	}
	s, err := natsserver.NewServer(o)
	if err != nil {
		return nil, fmt.Errorf("embedded NATS server: %w", err)
	}
	fatal := &fatalError{}
	s.SetLoggerV2(brokerLog{log.With("component", "nats-server"), fatal}, false, false, false)
	s.Start()
	err = fatal.get()
	if err == nil && !(s.ReadyForConnections(brokerStart) && s.JetStreamEnabled()) {
		err = errors.New("it didn't come up")
	}
	if err != nil {
		stopBroker(s)
		return nil, fmt.Errorf("embedded NATS server in %s: %w", dir, err)
	}
	return s, nil
}

// stopBroker ends the server and waits until its streams are on disk.
func stopBroker(s *natsserver.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

func listenOn(o *natsserver.Options, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("-nats-listen: %w", err)
	}
	if o.Port, err = strconv.Atoi(port); err != nil || o.Port < 0 || o.Port > 65535 {
		return fmt.Errorf("-nats-listen %s: port %q: from 0 to 65535", address, port)
	}
	if o.Port == 0 {
		o.Port = natsserver.RANDOM_PORT
	}
	if o.Host = host; host == "" {
		o.Host = "127.0.0.1"
	}
	// The server reports a port that is taken only by its logger, while clients inside the process still get through.
	probe, err := net.Listen("tcp", net.JoinHostPort(o.Host, port))
	if err != nil {
		return fmt.Errorf("-nats-listen: %w", err)
	}
	return probe.Close()
}

// brokerLog passes what the NATS server logs on to slog. It never ends the process.
type brokerLog struct {
	log   *slog.Logger
	fatal *fatalError
}

func (l brokerLog) Noticef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }
func (l brokerLog) Warnf(format string, v ...any)   { l.log.Warn(fmt.Sprintf(format, v...)) }
func (l brokerLog) Errorf(format string, v ...any)  { l.log.Error(fmt.Sprintf(format, v...)) }
func (l brokerLog) Debugf(string, ...any)           {}
func (l brokerLog) Tracef(string, ...any)           {}

func (l brokerLog) Fatalf(format string, v ...any) {
	l.fatal.set(fmt.Errorf(format, v...))
	l.log.Error(fmt.Sprintf(format, v...))
}

var _ natsserver.Logger = brokerLog{}

// fatalError keeps the first reason that the NATS server gave for not coming up.
type fatalError struct {
	mu  sync.Mutex
	err error
}

func (f *fatalError) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *fatalError) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}
