package alerts

import (
	"context"
	"errors"
	"time"
)

// begin brings the tables in line with the rules, which may be others than before.
func (p *Plugin) begin(ctx context.Context) error {
	for left := true; left; {
		err := p.write(ctx, func(s *session) (err error) { left, err = s.endOrphans(); return err })
		if err != nil {
			return err
		}
	}
	return p.write(ctx, func(s *session) error {
		if err := errors.Join(s.dropFollows(), s.dropBooks(), s.windows(), s.intervals(), s.loadFollows()); err != nil {
			return err
		}
		for _, c := range p.capacities { // thresholds may be others
			if err := c.judgeAll(s); err != nil {
				return err
			}
		}
		for _, u := range p.stuck {
			if err := u.enabled(s); err != nil {
				return err
			}
		}
		return nil
	})
}

// dropBooks forgets what was kept for rules that are gone, or of another type.
func (s *session) dropBooks() error {
	named := func(types ...string) []string {
		names := []string{""}
		for _, r := range s.p.rules {
			for _, t := range types {
				if r.Type == t {
					names = append(names, r.Name)
				}
			}
		}
		return names
	}
	for _, book := range []struct {
		table string
		names []string
	}{
		{"alerts_tracks", named(FlappingRule, ZombieRule, EventRule)}, {"alerts_rates", named(FailureRateRule)}, {"alerts_reports", named(StuckRule)},
	} {
		if err := s.tx.DB().Exec("DELETE FROM "+book.table+" WHERE rule NOT IN ?", book.names).Error; err != nil {
			return err
		}
	}
	return nil
}

// windows has what is kept of resources looked at when the rule's window of today has passed, at the latest: the one before may have been longer.
func (s *session) windows() error {
	for _, f := range s.p.trackers {
		at := s.now.Add(time.Duration(f.Window)).UnixNano()
		if err := s.tx.DB().Exec("UPDATE alerts_tracks SET due_at = ? WHERE rule = ? AND due_at > ?", at, f.Name, at).Error; err != nil {
			return err
		}
	}
	return nil
}

// intervals has active alerts told again after the interval that their rule has now, at the latest: it may have had a longer one, or none.
func (s *session) intervals() error {
	for n := range s.p.rules {
		r := &s.p.rules[n]
		if r.Disabled || r.Renotify == 0 {
			continue
		}
		at := s.now.Add(time.Duration(r.Renotify)).UnixNano()
		err := s.tx.DB().Exec("UPDATE alerts SET notify_at = ? WHERE name = ? AND cleared_at = 0 AND acknowledged_at = 0 AND grouped_by = '' AND (notify_at = 0 OR notify_at > ?)",
			at, r.Name, at).Error
		if err != nil {
			return err
		}
	}
	return nil
}
