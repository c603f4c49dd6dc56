package plugins

import (
	"context"
	"runtime/debug"
	"time"
)

// grace is for a method to return after its context has ended.
const grace = time.Second

// call runs foreign code on a goroutine of its own, so that its panic, runtime.Goexit or hang doesn't become the caller's.
func call(ctx context.Context, what string, fn func() error) error {
	var err error = new(PanicError) // what runtime.Goexit leaves behind
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = protect(fn)
	}()
	if !waitFor(ctx, done) {
		return &UnfinishedError{Left: []string{what}, Err: context.Cause(ctx)}
	}
	return err
}

// waitFor reports whether done was closed before ctx had ended, or in the moment after it.
func waitFor(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}

// protect turns a panic into a *PanicError.
func protect(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return fn()
}
