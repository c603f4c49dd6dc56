package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // reports in time zones on machines that don't know them
)

const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
	exitAtOnce  = 130
)

func main() {
	ctx, stop := untilSignal()
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// untilSignal returns a context that ends with the first SIGTERM or SIGINT; the second ends the process.
func untilSignal() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(exitAtOnce)
	}()
	return ctx, func() { signal.Stop(signals) }
}

// run is the program: it serves until ctx ends, or replays once, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cfg, err := parseFlags(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: cfg.level}))
	if err := start(ctx, cfg, log, stdout, stderr); err != nil {
		_, _ = fmt.Fprintln(stderr, "server:", err)
		return exitFailure
	}
	return exitOK
}

// start builds the server, does what cfg asks for and takes the server down again, in whatever way that ended.
func start(ctx context.Context, cfg config, log *slog.Logger, stdout, stderr io.Writer) (err error) {
	if cfg.replay != "" { // what can't be read is better known before anything is up
		if cfg.nova, err = openLog(cfg.replay); err != nil {
			return fmt.Errorf("-replay: %w", err)
		}
		defer func() { _ = cfg.nova.Close() }() // it was only read
	}
	s, err := build(ctx, cfg, log)
	defer func() { err = errors.Join(err, s.close()) }()
	if err != nil {
		return err
	}
	if cfg.once {
		return s.replayOnce(ctx, stdout, terminal(stderr))
	}
	return s.serve(ctx, stdout, terminal(stderr))
}

// terminal returns w if it is one, else nil.
func terminal(w io.Writer) io.Writer {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return f
}
