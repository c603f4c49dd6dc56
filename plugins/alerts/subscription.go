package alerts

import (
	"context"
	"time"
)

// lookEvery is how often the rules about durable subscriptions look.
const lookEvery = time.Minute

// findings are what is wrong with durable subscriptions, by their names.
type findings struct {
	wrong  map[string]string // what to say of it: nothing that changes from look to look
	unsure map[string]bool   // only another server can tell: what is active stays
}

// overSubscriptions is a rule over durable subscriptions.
type overSubscriptions struct {
	*Rule
	look func(context.Context) (findings, error)
}

func (p *Plugin) subscriptionsDue(now time.Time) bool { return now.UnixNano() >= p.lookAt.Load() }

// restSubscriptions has them looked at lookEvery later.
func (p *Plugin) restSubscriptions(now time.Time) { p.lookAt.Store(now.Add(lookEvery).UnixNano()) }

// checkSubscriptions raises what is found, and clears what is well again, or forgotten.
func (p *Plugin) checkSubscriptions(ctx context.Context) error {
	for _, u := range p.subscriptions {
		found, err := u.look(ctx)
		if err != nil {
			return err
		}
		active, err := p.activeSubscriptions(ctx, u.Name)
		if err != nil {
			return err
		}
		if !u.news(found, active) {
			continue
		}
		if err := p.write(ctx, func(s *session) error { return u.judge(s, found, active) }); err != nil {
			return err
		}
	}
	return nil
}

// activeSubscriptions returns the messages of the rule's active alerts by the subscription's name.
func (p *Plugin) activeSubscriptions(ctx context.Context, rule string) (map[string]string, error) {
	var rows []row
	if err := p.runtime.Read().WithContext(ctx).Where("name = ? AND cleared_at = 0 AND is_group = 0", rule).Find(&rows).Error; err != nil {
		return nil, err
	}
	active := make(map[string]string, len(rows))
	for _, r := range rows {
		active[r.ResourceID] = r.Message
	}
	return active, nil
}

// over reports whether an active alert is to be cleared.
func (f findings) over(name string) bool {
	_, still := f.wrong[name]
	return !still && !f.unsure[name]
}

// news reports whether there is anything to write.
func (u *overSubscriptions) news(found findings, active map[string]string) bool {
	for name, message := range found.wrong {
		if active[name] != message && !u.Disabled {
			return true
		}
	}
	for name := range active {
		if found.over(name) {
			return true
		}
	}
	return false
}

func (u *overSubscriptions) judge(s *session, found findings, active map[string]string) error {
	for _, name := range sortedKeys(found.wrong) {
		if err := u.warn(s, name, found.wrong[name]); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(active) {
		if !found.over(name) {
			continue
		}
		if err := s.clear(u.Name, about{kind: SubscriptionKind, id: name}, s.now); err != nil {
			return err
		}
	}
	return nil
}

// warn raises, or counts as a repeat that there is something new to say. Another server on the database may have said it.
func (u *overSubscriptions) warn(s *session, name, message string) error {
	a, err := s.find(key{u.Name, SubscriptionKind, name, "", 0})
	if err != nil || a != nil && a.Message == message {
		return err
	}
	return s.raise(u.Rule, about{kind: SubscriptionKind, id: name}, message, s.now, 1)
}
