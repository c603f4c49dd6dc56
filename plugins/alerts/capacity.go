package alerts

import (
	"cmp"
	"fmt"
	"math/bits"
	"strings"
)

// capacity is a rule over how much of something is taken: a sum over resources of another.
type capacity struct {
	*Rule
	used, total *sum // total is nil: Rule.Total.Amount
}

// judgeAll judges each scope that there is, or that has an alert.
func (c *capacity) judgeAll(s *session) error {
	shares, err := c.shares(s.tx.DB())
	if err != nil {
		return err
	}
	scopes := make(map[string]bool)
	for _, share := range shares {
		scopes[share.Scope] = true
	}
	var rows []*row
	if err := s.tx.DB().Where("name = ? AND cleared_at = 0", c.Name).Find(&rows).Error; err != nil {
		return err
	}
	for _, r := range rows {
		s.known(r)
		scopes[strings.TrimPrefix(r.Scope, c.By+"=")] = true
	}
	for _, scope := range sortedKeys(scopes) {
		if err := c.judge(s, scope); err != nil {
			return err
		}
	}
	return nil
}

func (c *capacity) complete(s *session) bool {
	return s.complete(c.used) && (c.total == nil || s.complete(c.total))
}

// judge raises, repeats or clears the alert of a scope. Without anything to compare with it does neither.
func (c *capacity) judge(s *session, scope string) error {
	if !c.complete(s) {
		return nil
	}
	used, err := s.amount(c.used, scope)
	if err != nil {
		return err
	}
	total := c.Total.Amount
	if c.total != nil {
		if total, err = s.amount(c.total, scope); err != nil {
			return err
		}
	}
	what := about{kind: c.Used.Kind, scope: c.scope(scope)}
	switch {
	case total <= 0 && used > 0:
		return nil
	case used > 0 && compare(used, 100, total, c.RaisePercent) >= 0:
		return c.full(s, what, used, total)
	case used <= 0 || compare(used, 100, total, c.ClearPercent) <= 0:
		return s.clear(c.Name, what, s.now)
	}
	return nil
}

// full raises, or counts as a repeat that the sum is another.
func (c *capacity) full(s *session, what about, used, total int64) error {
	message := c.message(what.scope, used, total)
	a, err := s.find(key{c.Name, what.kind, "", what.scope, 0})
	if err != nil || a != nil && a.Message == message {
		return err
	}
	return s.raise(c.Rule, what, message, s.now, 1)
}

func (c *capacity) scope(value string) string {
	if c.By == "" {
		return ""
	}
	return c.By + "=" + value
}

func (c *capacity) message(scope string, used, total int64) string {
	in := ""
	if scope != "" {
		in = " with " + scope
	}
	of := "the amount given"
	if c.total != nil {
		of = c.total.textual
	}
	return fmt.Sprintf("%s%s: %d of %d (%s) are taken, %d %%", c.used.textual, in, used, total, of, percent(used, total))
}

func percent(used, total int64) int64 {
	if total <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(max(used, 0)), 100)
	if hi >= uint64(total) {
		return 1 << 53
	}
	q, _ := bits.Div64(hi, lo, uint64(total))
	return int64(min(q, 1<<53))
}

// compare compares a*b with c*d, none of them negative, whatever the products are.
func compare(a, b, c, d int64) int {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	hi2, lo2 := bits.Mul64(uint64(c), uint64(d))
	return cmp.Or(cmp.Compare(hi, hi2), cmp.Compare(lo, lo2))
}
