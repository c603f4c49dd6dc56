package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"github.com/cloudbus-go/cloudbus/examples/cbctl/client"
	"github.com/cloudbus-go/cloudbus/examples/cbctl/show"
)

const (
	exitOK          = 0
	exitRefused     = 1
	exitUsage       = 2
	exitUnreachable = 3
	exitInterrupted = 130
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a pipe whose reader has left is told by an error, and none of ours
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program; it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, out: newOutput(stdout), stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(a.out)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if a.client != nil {
		a.client.Close()
	}
	if flushed := a.out.flush(); err == nil {
		err = flushed
	}
	code := a.exitCode(err)
	if code != exitOK && ctx.Err() != nil {
		code = exitInterrupted
	}
	if code != exitOK && code != exitInterrupted {
		_, _ = fmt.Fprintln(stderr, "cbctl: "+show.Plain(err.Error()))
	}
	if code == exitUsage {
		_, _ = fmt.Fprintln(stderr, "(cbctl help, or --help behind a command, says more)")
	}
	return code
}

// usageError: what is asked for makes no sense, whatever server it is.
type usageError struct{ reason string }

func (e *usageError) Error() string { return e.reason }

func badUsage(format string, v ...any) error { return &usageError{fmt.Sprintf(format, v...)} }

// exitCode is what became of it.
func (a *app) exitCode(err error) int {
	var (
		usage   *usageError
		address *client.AddressError
		away    *client.UnreachableError
		strange *client.AnswerError
	)
	switch {
	case err == nil, errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrClosedPipe), errors.Is(err, fs.ErrClosed):
		return exitOK
	case !a.begun, errors.As(err, &usage), errors.As(err, &address):
		return exitUsage
	case errors.As(err, &away), errors.As(err, &strange):
		return exitUnreachable
	}
	return exitRefused
}
