package alerts

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// sum is the books of one sum: what each resource adds to it, and the sums by scope. Rules that need the same share it.
type sum struct {
	Sum
	by      string
	of      kind
	name    string
	textual string
}

func newSum(s Sum, by string, k kind) *sum {
	if len(s.States) == 0 {
		for _, state := range k.machine.States() {
			if class, _ := k.machine.Class(state); class != fsm.Final {
				s.States = append(s.States, state)
			}
		}
	}
	s.States = slices.Clone(s.States)
	slices.Sort(s.States)
	s.States = slices.Compact(s.States)
	what := s.Kind
	if s.Field != "" {
		what += "." + s.Field
	}
	return &sum{Sum: s, by: by, of: k, textual: what, name: fmt.Sprintf("sum %s in %s by %s", what, strings.Join(texts(s.States), ","), cmp.Or(by, "nothing"))}
}

func (f *sum) kind() string { return f.Kind }
func (f *sum) key() string  { return f.name }

// share is what a resource adds to a sum.
type shareRow struct {
	Follow     string `gorm:"primaryKey"`
	ResourceID string `gorm:"primaryKey"`
	Scope      string
	Amount     int64
	Version    int64
}

// TableName is gorm's.
func (shareRow) TableName() string { return "alerts_shares" }

type (
	shareKey struct{ follow, id string }
	sumKey   struct{ follow, scope string }
	delta    struct{ amount, resources int64 }
)

func (f *sum) ids(s *session, after, last string, limit int) ([]string, error) {
	return s.idsOf(&shareRow{}, f.name, after, last, limit)
}

// preloadShares looks up at once what some resources add to all sums.
func (s *session) preloadShares(ids []string) error {
	keys := []string{}
	for _, f := range s.p.followed {
		if g, ok := f.(*sum); ok {
			keys = append(keys, g.name)
		}
	}
	if len(keys) == 0 || len(ids) == 0 {
		return nil
	}
	var rows []*shareRow
	if err := s.tx.DB().Where("follow IN ? AND resource_id IN ?", keys, ids).Find(&rows).Error; err != nil {
		return err
	}
	for _, key := range keys {
		for _, id := range ids {
			s.shares[shareKey{key, id}] = nil
		}
	}
	for _, r := range rows {
		s.shares[shareKey{r.Follow, r.ResourceID}] = r
	}
	return nil
}

func (f *sum) share(s *session, id string) (*shareRow, error) {
	k := shareKey{f.name, id}
	if r, known := s.shares[k]; known {
		return r, nil
	}
	var found []*shareRow
	if err := s.tx.DB().Where("follow = ? AND resource_id = ?", f.name, id).Limit(1).Find(&found).Error; err != nil {
		return nil, err
	}
	s.shares[k] = nil
	if len(found) > 0 {
		s.shares[k] = found[0]
	}
	return s.shares[k], nil
}

// of returns what a resource should add; nil: nothing.
func (f *sum) wanted(o *observation) *shareRow {
	if o.gone || !slices.Contains(f.States, o.object.State) {
		return nil
	}
	r := &shareRow{Follow: f.name, ResourceID: o.id, Amount: 1, Version: int64(o.object.Version)}
	if f.Field != "" {
		r.Amount = f.of.number(o.resource, f.Field)
	}
	if f.by != "" {
		r.Scope = f.of.text(o.resource, f.by)
	}
	return r
}

// apply brings what a resource adds in line with what it is.
func (f *sum) apply(s *session, o *observation) error {
	have, err := f.share(s, o.id)
	if err != nil {
		return err
	}
	want := f.wanted(o)
	if have != nil && !o.gone && have.Version >= int64(o.object.Version) && (o.seq != 0 || want != nil && *have == *want) {
		return nil // older news than the books have, or the same
	}
	if have != nil && want != nil && have.Scope == want.Scope && have.Amount == want.Amount {
		have.Version = want.Version
		return s.tx.DB().Exec("UPDATE alerts_shares SET version = ? WHERE follow = ? AND resource_id = ?", have.Version, f.name, o.id).Error
	}
	if have != nil {
		s.add(f, have.Scope, -have.Amount, -1)
	}
	s.shares[shareKey{f.name, o.id}] = want
	if want == nil {
		if have == nil {
			return nil
		}
		return s.tx.DB().Where("follow = ? AND resource_id = ?", f.name, o.id).Delete(&shareRow{}).Error
	}
	s.add(f, want.Scope, want.Amount, 1)
	return s.tx.DB().Exec(`INSERT INTO alerts_shares (follow, resource_id, scope, amount, version) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (follow, resource_id) DO UPDATE SET scope = excluded.scope, amount = excluded.amount, version = excluded.version`,
		want.Follow, want.ResourceID, want.Scope, want.Amount, want.Version).Error
}

func (s *session) add(f *sum, scope string, amount, resources int64) {
	k := sumKey{f.name, scope}
	if s.deltas[k] == nil {
		s.deltas[k] = new(delta)
	}
	s.deltas[k].amount += amount
	s.deltas[k].resources += resources
}

// settleSums writes the sums that the session has changed, and judges the rules about them.
func (s *session) settleSums() error {
	for k, d := range s.deltas {
		err := s.tx.DB().Exec(`INSERT INTO alerts_sums (follow, scope, amount, resources) VALUES (?, ?, ?, ?)
			ON CONFLICT (follow, scope) DO UPDATE SET amount = alerts_sums.amount + excluded.amount, resources = alerts_sums.resources + excluded.resources`,
			k.follow, k.scope, d.amount, d.resources).Error
		if err != nil {
			return err
		}
	}
	if len(s.deltas) == 0 {
		return nil
	}
	if err := s.tx.DB().Exec("DELETE FROM alerts_sums WHERE resources = 0 AND amount = 0").Error; err != nil {
		return err
	}
	for _, c := range s.p.capacities {
		touched := make(map[string]bool)
		for k := range s.deltas {
			if k.follow == c.used.name || c.total != nil && k.follow == c.total.name {
				touched[k.scope] = true
			}
		}
		for _, scope := range sortedKeys(touched) {
			if err := c.judge(s, scope); err != nil {
				return err
			}
		}
	}
	s.deltas = make(map[sumKey]*delta)
	return nil
}

// filled judges all scopes of the rules that needed these books.
func (f *sum) filled(s *session) error {
	for _, c := range s.p.capacities {
		if c.used != f && c.total != f {
			continue
		}
		if err := c.judgeAll(s); err != nil {
			return err
		}
	}
	return nil
}

// amount reads a sum.
func (s *session) amount(f *sum, scope string) (n int64, err error) {
	err = s.tx.DB().Raw("SELECT COALESCE(MAX(amount), 0) FROM alerts_sums WHERE follow = ? AND scope = ?", f.name, scope).Scan(&n).Error
	return n, err
}
