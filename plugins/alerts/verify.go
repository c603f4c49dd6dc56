package alerts

import (
	"context"
	"fmt"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// Difference is where the books of a capacity and the resources' tables say different things.
type Difference struct {
	Sum        string `json:"sum"`                   // which books
	ResourceID string `json:"resource_id,omitempty"` // "": a scope's sum isn't that of its resources
	Scope      string `json:"scope,omitempty"`
	Booked     int64  `json:"booked"` // 0: nothing
	Actual     int64  `json:"actual"`
}

// maxDifferences is how many are listed.
const maxDifferences = 1000

// Verify compares the books of all capacities with the resources' tables, page by page, and lists at most 1,000 differences. What hasn't been read from the journal yet is none, nor are books
// that aren't complete.
func (p *Plugin) Verify(ctx context.Context) (found []Difference, err error) {
	if err := p.started("verify"); err != nil {
		return nil, err
	}
	for _, f := range p.followed {
		g, ok := f.(*sum)
		if !ok {
			continue
		}
		for after, more := "", true; more && len(found) < maxDifferences; {
			err := p.write(ctx, func(s *session) error {
				differences, next, err := s.verifyPage(g, after)
				found, after, more = append(found, differences...), next, next != ""
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("alerts: verify %s: %w", g.name, err)
			}
		}
		sums, err := p.verifySums(ctx, g)
		if err != nil {
			return nil, fmt.Errorf("alerts: verify %s: %w", g.name, err)
		}
		found = append(found, sums...)
	}
	return found[:min(len(found), maxDifferences)], nil
}

// Rebuild fills the books of all capacities and stays anew, from the resources' tables. It returns when they are complete.
func (p *Plugin) Rebuild(ctx context.Context) error {
	if err := p.started("rebuild"); err != nil {
		return err
	}
	err := p.write(ctx, func(s *session) error {
		for _, f := range p.followed {
			g, ok := f.(*sum)
			if !ok {
				continue
			}
			for _, table := range []string{"alerts_shares", "alerts_sums"} {
				if err := s.tx.DB().Exec("DELETE FROM "+table+" WHERE follow = ?", g.name).Error; err != nil {
					return err
				}
			}
		}
		return s.tx.DB().Exec("DELETE FROM alerts_follows").Error
	})
	if err != nil {
		return fmt.Errorf("alerts: rebuild: %w", err)
	}
	return p.fill(ctx)
}

func (s *session) verifyPage(f *sum, after string) (differences []Difference, next string, err error) {
	if err := s.loadFollows(); err != nil {
		return nil, "", err
	}
	if !s.complete(f) {
		return nil, "", nil
	}
	found, next, err := s.p.page(s.tx.Context(), f.Kind, after)
	if err != nil {
		return nil, "", err
	}
	if err := s.preloadShares(idsIn(found)); err != nil {
		return nil, "", err
	}
	there := make(map[string]bool)
	for _, o := range found {
		there[o.id] = true
		if err := s.compare(f, o, &differences); err != nil {
			return nil, "", err
		}
	}
	for ids := []string{after}; len(ids) > 0; {
		if ids, err = f.ids(s, ids[len(ids)-1], next, pageOfFill); err != nil {
			return nil, "", err
		}
		for _, id := range ids {
			if there[id] {
				continue
			}
			if err := s.compare(f, &observation{kind: f.Kind, id: id, gone: true}, &differences); err != nil {
				return nil, "", err
			}
		}
	}
	return differences, next, nil
}

// compare notes a difference, unless an event that hasn't come yet explains it.
func (s *session) compare(f *sum, o *observation, differences *[]Difference) error {
	have, err := f.share(s, o.id)
	if err != nil {
		return err
	}
	var none shareRow
	want := f.wanted(o)
	if have == nil {
		have = &none
	}
	if want == nil {
		want = &none
	}
	if have.Amount == want.Amount && have.Scope == want.Scope && have.ResourceID == want.ResourceID {
		return nil
	}
	found, err := s.p.runtime.Journal().Query(s.tx.Context(), journal.Query{Kind: f.Kind, ResourceID: o.id, After: s.seen, Limit: 1})
	if err != nil || len(found) > 0 {
		return err
	}
	*differences = append(*differences, Difference{Sum: f.name, ResourceID: o.id, Scope: want.Scope, Booked: have.Amount, Actual: want.Amount})
	return nil
}

// verifySums compares the sums with what they are the sums of.
func (p *Plugin) verifySums(ctx context.Context, f *sum) (found []Difference, err error) {
	err = p.runtime.Read().WithContext(ctx).Raw(`SELECT ? AS sum, scope, CAST(SUM(booked) AS BIGINT) AS booked, CAST(SUM(actual) AS BIGINT) AS actual FROM (
			SELECT scope, amount AS booked, 0 AS actual FROM alerts_sums WHERE follow = ?
			UNION ALL SELECT scope, 0, amount FROM alerts_shares WHERE follow = ?
		) AS all_of_it GROUP BY scope HAVING SUM(booked) <> SUM(actual) ORDER BY scope`, f.name, f.name, f.name).Scan(&found).Error
	return found, err
}
