package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// replayOnce replays, waits until everyone has done his part, and prints what came out.
func (s *server) replayOnce(ctx context.Context, stdout, terminal io.Writer) error {
	t, err := s.replay(ctx, terminal)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.wait)
	defer cancel()
	if err := s.settle(ctx); err != nil {
		return err
	}
	r, err := s.result(ctx, t)
	if err != nil {
		return err
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s\n", line)
	return err
}

// replay replays the file that the command line names.
func (s *server) replay(ctx context.Context, terminal io.Writer) (tally, error) {
	done, err := openReplayed(ctx, s.journal)
	if err != nil {
		return tally{}, err
	}
	r := &replayer{vms: s.vms, journal: s.journal, replayed: done, log: s.log}
	return r.replay(ctx, s.cfg.nova, terminal)
}

// settle waits until the broker is there and all plugins, the bridge among them, have handled the whole journal.
func (s *server) settle(ctx context.Context) error {
	if err := s.sink.Ready(ctx); err != nil {
		return s.unsettled(fmt.Errorf("nothing can be published: %w", err))
	}
	for before, now := uint64(0), uint64(1); before != now; {
		var err error
		if _, before, err = s.journal.Bounds(ctx); err != nil {
			return err
		}
		if err := s.bus.Flush(ctx); err != nil {
			return s.unsettled(fmt.Errorf("not everything was delivered in %s: %w", s.cfg.wait, err))
		}
		if _, now, err = s.journal.Bounds(ctx); err != nil { // a plugin may have had news of its own
			return err
		}
	}
	return s.unsettled(nil)
}

// unsettled adds to err what the plugins say is wrong with them.
func (s *server) unsettled(err error) error {
	errs := []error{err}
	for _, p := range s.plugins.Status(context.Background()) {
		if p.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.Name, p.Err))
		}
	}
	return errors.Join(errs...)
}
