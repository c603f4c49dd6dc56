package alerts

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources"
)

// observe shows a batch of changes and reports to the rules, in the transaction that moves the position in the journal.
func (p *Plugin) observe(_ context.Context, tx *journal.Tx, batch []bus.Event[bus.Addressed]) error {
	if len(batch) == 0 {
		return nil
	}
	s, err := p.session(tx, p.runtime.Now())
	if err != nil {
		return err
	}
	last := batch[len(batch)-1].Seq
	if last <= s.seen {
		return nil // a replay
	}
	ids := subjects(batch, s.seen)
	if err := errors.Join(s.preload(ids), s.preloadTracks(ids), s.preloadShares(ids), s.loadFollows()); err != nil {
		return err
	}
	for _, e := range batch {
		if e.Seq <= s.seen {
			continue
		}
		s.subject = observed(e)
		s.subject.preloaded = true
		if err := s.show(e); err != nil {
			return fmt.Errorf("alerts: %s: %w", e.Subject(), err)
		}
	}
	s.subject = nil
	if err := s.settle(last); err != nil {
		return err
	}
	if s.wakeAt != 0 {
		p.alarm.set(s.wakeAt)
	}
	return nil
}

// settle writes what the events have come to, and the position behind them.
func (s *session) settle(last uint64) error {
	for _, f := range s.p.rates {
		if err := f.settle(s); err != nil {
			return err
		}
	}
	for _, f := range s.p.trackers {
		if err := f.settle(s); err != nil {
			return err
		}
	}
	if err := s.settleSums(); err != nil {
		return err
	}
	if err := s.followed(last); err != nil {
		return err
	}
	return setPosition(s.tx.DB(), Name, last)
}

// show shows an event to the rules. One that is disabled raises nothing, but keeps its books, for the day when it's enabled again, and clears what it raised before.
func (s *session) show(e bus.Event[bus.Addressed]) error {
	switch news := e.Payload.(type) {
	case resources.Stuck:
		for _, u := range s.p.stuck {
			if err := u.reported(s, news, e.Time); err != nil {
				return err
			}
		}
	case resources.Refused:
		for _, f := range s.p.trackers {
			if err := f.refused(s, news); err != nil {
				return err
			}
		}
	case resources.Disagreed:
		for _, u := range s.p.reported {
			if err := u.disagreed(s, news, e.Time); err != nil {
				return err
			}
		}
	case resources.Orphaned:
		for _, u := range s.p.reported {
			if err := u.orphaned(s, news, e.Time); err != nil {
				return err
			}
		}
	case resources.AnyChanged:
		return s.changed(news.What())
	}
	return nil
}

func (s *session) changed(c resources.Change) error {
	for _, u := range s.p.stuck {
		if err := u.changed(s, c); err != nil {
			return err
		}
	}
	for _, f := range s.p.rates {
		f.count(s, c)
	}
	for _, f := range s.p.trackers {
		if err := errors.Join(f.moved(s, c), f.left(s, c)); err != nil {
			return err
		}
	}
	if err := s.follow(s.subject); err != nil {
		return err
	}
	if c.Action == resources.Removed {
		return s.removed(c)
	}
	return nil
}

// removed clears what is active about a resource that is no more.
func (s *session) removed(c resources.Change) error {
	rows, err := s.activeAbout(c.Kind, c.ResourceID)
	if err != nil {
		return err
	}
	for _, a := range rows {
		if err := s.end(a, c.Time); err != nil {
			return err
		}
	}
	for _, f := range s.p.trackers {
		t, err := s.track(f.Rule, about{kind: c.Kind, id: c.ResourceID})
		if err != nil {
			return err
		}
		if len(t.times) > 0 {
			t.times, t.stale = nil, true
		}
	}
	return nil
}
