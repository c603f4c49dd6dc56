package alerts

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// RuleState is a rule, complete, and how it stands.
type RuleState struct {
	Rule
	Active       int64   `json:"active"`               // alerts, members of groups included
	Groups       int64   `json:"groups,omitempty"`     // of them that are active
	Acknowledged int64   `json:"acknowledged"`         // of the active ones
	Filling      bool    `json:"filling,omitempty"`    // its books aren't complete yet: it is still reading the resources
	Watched      int64   `json:"watched,omitempty"`    // host_down: resources that are away now; flapping, zombie, event: those with something in the window
	Capacities   []Share `json:"capacities,omitempty"` // capacity: by scope
	Rates        []Rate  `json:"rates,omitempty"`      // failure_rate: by kind, of those that had an operation within the window
}

// Share is how much of something is taken.
type Share struct {
	Scope   string `json:"scope,omitempty"` // value of the rule's By
	Used    int64  `json:"used"`
	Total   int64  `json:"total"`
	Percent int64  `json:"percent"` // rounded down; 0 without a total
}

// Rate is how many operations of a kind failed.
type Rate struct {
	Kind      string `json:"kind"`
	Succeeded int64  `json:"succeeded"`
	Failed    int64  `json:"failed"`
	Percent   int64  `json:"percent"` // of failures, rounded down
}

// Rules returns the rules and how they stand, in the order in which they were given.
func (p *Plugin) Rules(ctx context.Context) ([]RuleState, error) {
	if err := p.started("rules"); err != nil {
		return nil, err
	}
	var all []RuleState
	err := p.runtime.Read().WithContext(ctx).Transaction(func(db *gorm.DB) error {
		all = make([]RuleState, len(p.rules))
		for n := range p.rules {
			all[n].Rule = p.rules[n]
			if err := p.state(db, &p.rules[n], &all[n]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("alerts: rules: %w", err)
	}
	return all, nil
}

func (p *Plugin) state(db *gorm.DB, r *Rule, s *RuleState) error {
	active := func() *gorm.DB { return db.Model(&row{}).Where("name = ? AND cleared_at = 0", r.Name) }
	for _, q := range []struct {
		db   *gorm.DB
		into *int64
	}{
		{active().Where("is_group = 0"), &s.Active},
		{active().Where("is_group = 1"), &s.Groups},
		{active().Where("is_group = 0 AND acknowledged_at > 0"), &s.Acknowledged},
	} {
		if err := q.db.Count(q.into).Error; err != nil {
			return err
		}
	}
	switch r.Type {
	case CapacityRule:
		return p.capacityState(db, r, s)
	case FailureRateRule:
		return p.rateState(db, r, s)
	case HostDownRule:
		return p.staysState(db, r, s)
	case FlappingRule, ZombieRule, EventRule:
		return db.Model(&track{}).Where("rule = ?", r.Name).Count(&s.Watched).Error
	}
	return nil
}

func (p *Plugin) staysState(db *gorm.DB, r *Rule, s *RuleState) error {
	for _, f := range p.stays {
		if f.Rule != r {
			continue
		}
		var n int64
		if err := db.Model(&stay{}).Where("follow = ?", f.key()).Count(&n).Error; err != nil {
			return err
		}
		s.Watched += n
		if err := filling(db, f, s); err != nil {
			return err
		}
	}
	return nil
}

// filling notes whether books are incomplete.
func filling(db *gorm.DB, f follow, s *RuleState) error {
	var complete int64
	err := db.Model(&followRow{}).Where("follow = ? AND complete = 1", f.key()).Count(&complete).Error
	s.Filling = s.Filling || complete == 0
	return err
}

func (p *Plugin) rateState(db *gorm.DB, r *Rule, s *RuleState) error {
	for _, f := range p.rates {
		if f.Rule != r {
			continue
		}
		err := db.Raw(`SELECT kind, CAST(SUM(succeeded) AS BIGINT) AS succeeded, CAST(SUM(failed) AS BIGINT) AS failed FROM alerts_rates
			WHERE rule = ? AND started_at > ? GROUP BY kind ORDER BY kind`, r.Name, f.start(p.runtime.Now()).Add(-f.bucket()).UnixNano()).Scan(&s.Rates).Error
		if err != nil {
			return err
		}
	}
	for n, rate := range s.Rates {
		s.Rates[n].Percent = percent(rate.Failed, rate.Failed+rate.Succeeded)
	}
	return nil
}

func (p *Plugin) capacityState(db *gorm.DB, r *Rule, s *RuleState) (err error) {
	for _, c := range p.capacities {
		if c.Rule != r {
			continue
		}
		if err := filling(db, c.used, s); err != nil {
			return err
		}
		if c.total != nil {
			if err := filling(db, c.total, s); err != nil {
				return err
			}
		}
		if s.Capacities, err = c.shares(db); err != nil {
			return err
		}
	}
	return nil
}

// shares lists how much is taken, by scope. Without a By there is always one.
func (c *capacity) shares(db *gorm.DB) ([]Share, error) {
	byScope := make(map[string]*Share)
	share := func(scope string) *Share {
		if byScope[scope] == nil {
			byScope[scope] = &Share{Scope: scope, Total: c.Total.Amount}
		}
		return byScope[scope]
	}
	if c.By == "" {
		share("")
	}
	type scoped struct {
		Scope  string
		Amount int64
	}
	var taken, there []scoped
	if err := db.Raw("SELECT scope, amount FROM alerts_sums WHERE follow = ?", c.used.name).Scan(&taken).Error; err != nil {
		return nil, err
	}
	for _, sum := range taken {
		share(sum.Scope).Used = sum.Amount
	}
	if c.total != nil {
		if err := db.Raw("SELECT scope, amount FROM alerts_sums WHERE follow = ?", c.total.name).Scan(&there).Error; err != nil {
			return nil, err
		}
		for _, sum := range there {
			share(sum.Scope).Total = sum.Amount
		}
	}
	all := make([]Share, 0, len(byScope))
	for _, scope := range sortedKeys(byScope) {
		one := byScope[scope]
		one.Percent = percent(one.Used, one.Total)
		all = append(all, *one)
	}
	return all, nil
}
