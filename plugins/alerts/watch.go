package alerts

import (
	"context"
	"math"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"gorm.io/gorm"
)

const retryAfter = 5 * time.Second // a check that failed

// watch is the goroutine that looks at the clock: time heals failure rates, makes hosts too long away and positions in the journal unclaimed, shows what was parked, and has alerts told again.
func (p *Plugin) watch(ctx context.Context) error {
	for {
		next, err := p.check(ctx, p.runtime.Now())
		if err != nil && ctx.Err() == nil {
			p.runtime.Logger().Error("alerts can't be checked", "error", err, "again_in", retryAfter)
			next = p.runtime.Now().Add(retryAfter).UnixNano()
		}
		p.alarm.set(next)
		if !p.alarm.wait(ctx, p.runtime.Now) {
			return nil
		}
	}
}

// check does what is due. It returns when to check again.
func (p *Plugin) check(ctx context.Context, now time.Time) (next int64, err error) {
	defer func() {
		if p.failure.Store(nil); err != nil && ctx.Err() == nil {
			p.failure.Store(&err)
		}
	}()
	// The alarm may have been set by a batch that isn't committed yet. An empty member waits for it, so that what made the alarm go off is there to be read.
	if err := p.runtime.Write(ctx, func(*journal.Tx) error { return nil }); err != nil {
		return 0, err
	}
	if err := p.fill(ctx); err != nil {
		return 0, err
	}
	if next, err = p.checkRates(ctx); err != nil {
		return 0, err
	}
	for _, what := range []clockwork{p.overdue(), p.calm(), p.again()} {
		if err := p.workOff(ctx, what, now); err != nil {
			return 0, err
		}
		at, err := p.nextOf(ctx, what)
		if err != nil {
			return 0, err
		}
		next = earlier(next, at)
	}
	if p.subscriptionsDue(now) {
		if err := p.checkSubscriptions(ctx); err != nil {
			return 0, err
		}
		p.restSubscriptions(now)
	}
	if err := p.forget(ctx, now); err != nil {
		return 0, err
	}
	return earlier(next, earlier(p.lookAt.Load(), p.forgetAt.Load())), nil
}

// earlier returns the earlier of two times; 0 is none.
func earlier(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// checkRates clears what time has healed. It returns when to check again, 0 if there is nothing that it may heal.
func (p *Plugin) checkRates(ctx context.Context) (next int64, err error) {
	for _, f := range p.rates {
		var active int64
		if err := p.runtime.Read().WithContext(ctx).Model(&row{}).Where("name = ? AND cleared_at = 0", f.Name).Count(&active).Error; err != nil {
			return 0, err
		}
		if active == 0 {
			continue
		}
		err := p.write(ctx, func(s *session) error {
			at, err := f.heal(s)
			next = earlier(next, at)
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return next, nil
}

// clockwork is rows that have a time at which something is to be done about them.
type clockwork struct {
	model  any
	column string
	names  string // column that says whose they are
	whose  []string
	do     func(s *session) error // about some of those that are due
}

func (p *Plugin) overdue() clockwork {
	c := clockwork{model: &stay{}, column: "due_at", names: "follow", do: func(s *session) error {
		if err := s.loadFollows(); err != nil {
			return err
		}
		for _, f := range p.stays {
			if err := f.overdue(s); err != nil {
				return err
			}
		}
		return nil
	}}
	for _, f := range p.stays {
		c.whose = append(c.whose, f.key())
	}
	return c
}

func (p *Plugin) calm() clockwork {
	c := clockwork{model: &track{}, column: "due_at", names: "rule", do: func(s *session) error {
		for _, f := range p.trackers {
			if err := f.calm(s); err != nil {
				return err
			}
		}
		return nil
	}}
	for _, f := range p.trackers {
		c.whose = append(c.whose, f.Name)
	}
	return c
}

func (p *Plugin) again() clockwork {
	c := clockwork{model: &row{}, column: "notify_at", names: "name", do: (*session).renotify}
	for n := range p.rules {
		c.whose = append(c.whose, p.rules[n].Name)
	}
	return c
}

// rows selects those that have a time.
func (c clockwork) rows(db *gorm.DB) *gorm.DB {
	return db.Model(c.model).Where(c.column+" > 0 AND "+c.names+" IN ?", c.whose)
}

// workOff does what is due, in small transactions.
func (p *Plugin) workOff(ctx context.Context, c clockwork, now time.Time) error {
	if len(c.whose) == 0 {
		return nil
	}
	for before := int64(math.MaxInt64); ; {
		var due int64
		err := c.rows(p.runtime.Read().WithContext(ctx)).Where(c.column+" <= ?", now.UnixNano()).Count(&due).Error
		if err != nil || due == 0 || due >= before { // those that can't be worked off are for the next time
			return err
		}
		if err := p.write(ctx, c.do); err != nil {
			return err
		}
		before = due
	}
}

// nextOf returns when something is due next; 0: never.
func (p *Plugin) nextOf(ctx context.Context, c clockwork) (at int64, err error) {
	if len(c.whose) == 0 {
		return 0, nil
	}
	err = c.rows(p.runtime.Read().WithContext(ctx)).Select("COALESCE(MIN(" + c.column + "), 0)").Scan(&at).Error
	return at, err
}

// renotify tells again what has been active for long, and nobody has acknowledged.
func (s *session) renotify() error {
	var due []*row
	err := s.tx.DB().Where("notify_at > 0 AND notify_at <= ? AND cleared_at = 0 AND name IN ?", s.now.UnixNano(), s.p.again().whose).Order("notify_at, id").Limit(dueAtOnce).Find(&due).Error
	if err != nil {
		return err
	}
	for _, a := range due {
		r := s.p.rule(a.Name)
		s.later(r, a, s.now)
		if r == nil || r.Disabled || r.Renotify == 0 {
			a.NotifyAt = 0
			if err := s.save(a, "notify_at"); err != nil {
				return err
			}
			continue
		}
		told, err := s.toldAgain(a)
		if err != nil {
			return err
		}
		if err := s.notify(a, Notice{What: Raised, Renotified: told + 1, Alert: a.alert()}, s.now); err != nil {
			return err
		}
	}
	return nil
}

// toldAgain counts how often an alert was told again.
func (s *session) toldAgain(a *row) (n int64, err error) {
	var others int64 // acknowledgements
	err = s.tx.DB().Model(&noticeRow{}).Where("alert_id = ? AND what <> ?", a.ID, Raised).Count(&others).Error
	return max(a.Notices-1-others, 0), err
}
