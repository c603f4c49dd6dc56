package alerts

import "strings"

// orphansAtOnce is how many alerts are looked at in one transaction.
const orphansAtOnce = 500

// endOrphans clears alerts that no rule can clear any more: the rule is gone, is of another type, or isn't about their kind, which may be gone itself, or their part of it. left: there are more.
func (s *session) endOrphans() (left bool, err error) {
	after, ended := "", 0
	for ended < orphansAtOnce {
		var rows []*row
		if err := s.tx.DB().Where("cleared_at = 0 AND is_group = 0 AND id > ?", after).Order("id").Limit(orphansAtOnce).Find(&rows).Error; err != nil {
			return false, err
		}
		for _, a := range rows {
			after = a.ID
			if s.p.ruleFor(a) != nil {
				continue
			}
			if err := s.end(s.known(a), s.now); err != nil {
				return false, err
			}
			ended++
		}
		if len(rows) < orphansAtOnce {
			return false, nil
		}
	}
	return true, nil
}

// ruleFor returns the rule that may have raised an alert; nil if there is none any more.
func (p *Plugin) ruleFor(a *row) *Rule {
	r := p.rule(a.Name)
	switch {
	case r == nil, a.Type != "" && a.Type != r.Type:
		return nil
	case r.Type != EventRule && a.Kind != SubscriptionKind && !p.world.has(a.Kind): // nobody tells of it any more
		return nil
	case r.Type == UnclaimedRule, r.Type == ParkedRule:
		if a.Kind == SubscriptionKind {
			return r
		}
	case r.Type == CapacityRule:
		if a.Kind == r.Used.Kind && a.ResourceID == "" && (r.By == "" && a.Scope == "" || r.By != "" && strings.HasPrefix(a.Scope, r.By+"=")) {
			return r
		}
	case r.Type == FailureRateRule:
		if r.isAbout(a.Kind) && a.ResourceID == "" {
			return r
		}
	case r.isAbout(a.Kind) && (a.ResourceID != "" || r.Type == EventRule):
		return r
	}
	return nil
}
