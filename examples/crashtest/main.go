package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	if o, ok := ordersFromEnvironment(); ok {
		os.Exit(live(o, os.Stdin, os.Stdout, os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the parent: it makes the trial that the flags ask for and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cfg, err := parseFlags(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage
	}
	o, err := try(ctx, cfg, stderr)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "crashtest:", err)
		return exitFailure
	}
	if err := o.print(stdout); err != nil {
		_, _ = fmt.Fprintln(stderr, "crashtest:", err)
		return exitFailure
	}
	if !o.OK {
		_, _ = fmt.Fprintf(stderr, "crashtest: %d violations; what they were found in is in %s\n", o.Found, o.Data)
		return exitFailure
	}
	return exitOK
}
