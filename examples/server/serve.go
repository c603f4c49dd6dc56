package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	headerPatience = 10 * time.Second
	bodyPatience   = 30 * time.Second
	idlePatience   = 2 * time.Minute
	heartbeat      = 15 * time.Second
)

// serve starts the hypervisor and the API, replays if that was asked for, and returns when ctx ends or something breaks.
func (s *server) serve(ctx context.Context, stdout, terminal io.Writer) error {
	h, err := startHypervisor(hypervisorOptions{
		Engine: s.engine, Client: s.bus.Client(hypervisorName), Kinds: s.engine.Kinds(), Log: s.log,
		Seed: s.cfg.seed, FailRate: s.cfg.failRate, Duration: s.cfg.operationTime,
	})
	if err != nil {
		return err
	}
	s.onClose("hypervisor", func(context.Context) error { h.Close(); return nil })

	s.watch()

	l, err := listen(s.cfg, s.log)
	if err != nil {
		return err
	}
	broken := make(chan error, 1)
	s.startHTTP(l, broken)
	greet(stdout, l.Addr(), s.brokerURL, s.cfg.data)

	ctx, cancel := context.WithCancel(ctx)
	replayed := make(chan struct{})
	go func() {
		defer close(replayed)
		if s.cfg.replay != "" {
			s.replayBeside(ctx, terminal)
		}
	}()
	defer func() { cancel(); <-replayed }()
	select {
	case <-ctx.Done():
		s.log.Info("stopping")
		return nil
	case err := <-broken:
		return err
	}
}

// replayBeside replays while the server serves.
func (s *server) replayBeside(ctx context.Context, terminal io.Writer) {
	t, err := s.replay(ctx, terminal)
	if ctx.Err() != nil {
		s.log.Info("replay was stopped; the same file can be replayed again", "file", s.cfg.replay)
		return
	}
	if err != nil {
		s.log.Error("replay ended early; the same file can be replayed again", "file", s.cfg.replay, "err", err)
		return
	}
	s.log.Info("replay is complete", "file", s.cfg.replay, "moved", t.Moved, "unchanged", t.Unchanged, "refused", t.Refused, "skipped_lines", t.Skipped)
}

// startHTTP serves the API on l until the server closes.
func (s *server) startHTTP(l net.Listener, broken chan<- error) {
	stopping := make(chan struct{})
	web := &http.Server{
		Handler:           s.newAPI(stopping).handler(),
		ReadHeaderTimeout: headerPatience,
		ReadTimeout:       bodyPatience,
		IdleTimeout:       idlePatience,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := web.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			broken <- err
		}
	}()
	s.onClose("http", func(ctx context.Context) error {
		close(stopping)
		err := web.Shutdown(ctx)
		if err != nil {
			err = errors.Join(err, web.Close())
		}
		<-served
		return err
	})
}

// newAPI returns the API; its event streams end when stopping is closed.
func (s *server) newAPI(stopping <-chan struct{}) *api {
	return &api{
		engine: s.engine, journal: s.journal, store: s.store, data: s.cfg.data, bus: s.bus, plugins: s.plugins, reports: s.reports, client: s.bus.Client("http"), log: s.log, mux: s.mux,
		heartbeat: heartbeat, stopping: stopping, streams: make(chan struct{}, maxStreams),
	}
}

// listen opens the address of the API. If it is taken and nobody asked for it, any free port will do.
func listen(cfg config, log *slog.Logger) (net.Listener, error) {
	l, err := net.Listen("tcp", cfg.listen)
	if err == nil || cfg.listenGiven {
		return l, err
	}
	free, err2 := net.Listen("tcp", "127.0.0.1:0")
	if err2 != nil {
		return nil, errors.Join(err, err2)
	}
	log.Warn("the default address is taken, listening on a free port", "err", err, "listen", free.Addr().String())
	return free, nil
}

// greet says where everything is; broker is empty if the embedded one takes no other clients.
func greet(out io.Writer, addr net.Addr, broker, data string) {
	if broker != "" {
		broker = "\nNATS on " + broker
	}
	_, _ = fmt.Fprintf(out, `listening on http://%[1]s%[3]s
data in %[2]s
try, in another terminal:
  curl -s http://%[1]s/v1/resources/vm -d '{"id":"web1","name":"web1","cpus":2,"memory_mib":2048}'
  curl -s http://%[1]s/v1/resources/vm/web1/fire -d '{"trigger":"start_requested"}'
  curl -sN 'http://%[1]s/v1/events?stream=true&after=0'
`, addr, place(data), broker)
}
