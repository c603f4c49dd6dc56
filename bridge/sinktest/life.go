package sinktest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
)

// moment is a time in which nothing may happen that would be wrong.
const moment = 100 * time.Millisecond

// checkAway: while the broker is away Send fails at once, Ready waits, Health says what is wrong; afterwards all is well.
func checkAway(ctx context.Context, r *rig) error {
	if r.Stop == nil || r.Start == nil {
		return errSkip
	}
	s, err := r.ready(ctx)
	if err != nil {
		return err
	}
	if err := r.sendMany(ctx, s, 1, 2); err != nil {
		return err
	}
	if err := r.Stop(); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	if err := checkFails(ctx, s); err != nil {
		return err
	}
	if err := checkWaits(ctx, s); err != nil {
		return err
	}
	if err := r.Start(); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	if err := waitReady(ctx, s); err != nil {
		return err
	}
	if err := r.sendMany(ctx, s, 1, 3); err != nil {
		return err
	}
	if healther, ok := s.(bridge.Healther); ok {
		if err := healther.Health(ctx); err != nil {
			return fmt.Errorf("health with the broker there: %w", err)
		}
	}
	all, err := r.received(ctx)
	if err != nil {
		return err
	}
	return checkMany(r, all, 1, 3)
}

// checkFails: Send and Health say at once that the broker is away.
func checkFails(ctx context.Context, s bridge.Sink) error {
	m, err := message(event("away", 0), bridge.Structured)
	if err != nil {
		return err
	}
	err = promptly("Send without a broker", func() error { return s.Send(ctx, m) })
	var rejected *bridge.RejectedError
	if err == nil || errors.As(err, &rejected) {
		return fmt.Errorf("Send without a broker: got %v, want an error that may pass", err) //nolint:errorlint // it may be nil
	}
	healther, ok := s.(bridge.Healther)
	if !ok {
		return nil
	}
	for ctx.Err() == nil {
		if promptly("Health", func() error { return healther.Health(ctx) }) != nil {
			return nil
		}
		pause(ctx, 10*time.Millisecond)
	}
	return errors.New("health is nil though there is no broker")
}

// checkWaits: Ready waits for a broker that is away, until its context ends.
func checkWaits(ctx context.Context, s bridge.Sink) error {
	readier, ok := s.(bridge.Readier)
	if !ok {
		return nil
	}
	short, cancel := context.WithTimeout(ctx, moment)
	defer cancel()
	if err := promptly("Ready, whose context ends,", func() error { return readier.Ready(short) }); err == nil {
		return errors.New("Ready without a broker: got nil, want the context's error")
	}
	return nil
}

// checkStartWhileAway: a sink opens without its broker, sends when it comes, and closes without it.
func checkStartWhileAway(ctx context.Context, r *rig) error {
	if r.Stop == nil || r.Start == nil {
		return errSkip
	}
	if err := r.Stop(); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	unused, err := r.sink(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(checkFails(ctx, unused), r.shut(ctx, unused)); err != nil {
		return err
	}
	s, err := r.sink(ctx)
	if err != nil {
		return err
	}
	if err := r.Start(); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	if err := waitReady(ctx, s); err != nil {
		return err
	}
	if err := r.sendMany(ctx, s, 2, 2); err != nil {
		return err
	}
	all, err := r.received(ctx)
	if err != nil {
		return err
	}
	return checkMany(r, all, 2, 2)
}

// checkContext: a context that has ended is no reason to wait, nor to be silent about it.
func checkContext(ctx context.Context, r *rig) error {
	s, err := r.ready(ctx)
	if err != nil {
		return err
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	m, err := message(event(name(0), 0), bridge.Structured)
	if err != nil {
		return err
	}
	if err := promptly("Send, whose context has ended,", func() error { return s.Send(ended, m) }); err == nil {
		all, err := r.received(ctx)
		if err != nil || len(all) != 1 {
			return fmt.Errorf("Send, whose context had ended, said that the message was acknowledged, but the broker has %d: %w", len(all), err)
		}
	}
	if err := r.sendMany(ctx, s, 1, 2); err != nil {
		return err
	}
	all, err := r.received(ctx)
	if err != nil {
		return err
	}
	return checkMany(r, all, 1, 2)
}

// checkHang: without an acknowledgement Send waits until its context ends, and then returns an error; closing doesn't wait.
func checkHang(ctx context.Context, r *rig) error {
	if r.Hang == nil {
		return errSkip
	}
	s, err := r.ready(ctx)
	if err != nil {
		return err
	}
	m, err := message(event(name(0), 0), bridge.Structured)
	if err != nil {
		return err
	}
	resume, err := r.Hang()
	if err != nil {
		return fmt.Errorf("hang: %w", err)
	}
	defer resume()
	short, cancel := context.WithTimeout(ctx, moment)
	defer cancel()
	err = promptly("Send to a broker that hangs", func() error { return s.Send(short, m) })
	var rejected *bridge.RejectedError
	if err == nil || errors.As(err, &rejected) {
		return fmt.Errorf("Send to a broker that hangs: got %v, want an error that may pass", err) //nolint:errorlint // it may be nil
	}
	return r.shut(ctx, s)
}

// checkClosed: before Open and after Close, Send and Health are errors, and Ready doesn't say that a Send is worth trying.
func checkClosed(ctx context.Context, r *rig) error {
	s, err := r.New()
	if err != nil {
		return err
	}
	if _, ok := s.(bridge.Opener); ok {
		if err := checkFails(ctx, s); err != nil {
			return fmt.Errorf("before Open: %w", err)
		}
	}
	if err := closeSink(ctx, s); err != nil {
		return fmt.Errorf("Close of a sink that was never opened: %w", err)
	}
	if s, err = r.ready(ctx); err != nil {
		return err
	}
	if err := r.sendMany(ctx, s, 1, 1); err != nil {
		return err
	}
	if err := r.shut(ctx, s); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	if _, ok := s.(bridge.Closer); !ok {
		return nil
	}
	if err := errors.Join(checkFails(ctx, s), checkWaits(ctx, s)); err != nil {
		return fmt.Errorf("after Close: %w", err)
	}
	return nil
}
