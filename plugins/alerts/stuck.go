package alerts

import (
	"fmt"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"gorm.io/gorm/clause"
)

// stuck is a rule over resources that stay in a transitional state: it follows the engine's reports, <kind>.stuck.
type stuck struct {
	*Rule
	world *world
}

// report is one that came while the rule was disabled, of a stay that isn't over.
type report struct {
	Rule       string `gorm:"primaryKey"`
	Kind       string `gorm:"primaryKey"`
	ResourceID string `gorm:"primaryKey"`
	Tenant     string
	Message    string
	ReportedAt int64
}

// TableName is gorm's.
func (report) TableName() string { return "alerts_reports" }

func (r *Rule) isAbout(kind string) bool { return len(r.Kinds) == 0 || slices.Contains(r.Kinds, kind) }

func (r *Rule) hasState(s fsm.State) bool { return len(r.States) == 0 || slices.Contains(r.States, s) }

// reported raises, or counts as a repeat. A rule that is disabled keeps the report for the day when it is enabled again.
func (u *stuck) reported(s *session, r resources.Stuck, at time.Time) error {
	if !u.isAbout(r.Kind) || !u.hasState(r.State) {
		return nil
	}
	message := fmt.Sprintf("%s/%s has been %s since %s, longer than the limit of %s", r.Kind, r.ResourceID, r.State, r.Since.UTC().Format(time.RFC3339), r.Limit)
	if u.Disabled {
		m := report{u.Name, r.Kind, r.ResourceID, r.Tenant, message, at.UnixNano()}
		return s.tx.DB().Clauses(clause.OnConflict{UpdateAll: true}).Create(&m).Error
	}
	return s.raise(u.Rule, about{kind: r.Kind, id: r.ResourceID, tenant: r.Tenant}, message, at, 1)
}

// changed clears the alert of a resource that has left the state it was stuck in.
func (u *stuck) changed(s *session, c resources.Change) error {
	class, _ := u.world.kinds[c.Kind].class(c.From)
	if class != fsm.Transitional || c.From == c.To || !u.isAbout(c.Kind) {
		return nil
	}
	if u.Disabled {
		if err := forgetReport(s.tx, u.Name, c.Kind, c.ResourceID); err != nil {
			return err
		}
	}
	return s.clear(u.Name, about{kind: c.Kind, id: c.ResourceID}, c.Time)
}

func forgetReport(tx *journal.Tx, rule, kind, id string) error {
	return tx.DB().Where("rule = ? AND kind = ? AND resource_id = ?", rule, kind, id).Delete(&report{}).Error
}

// enabled raises what was reported while the rule was disabled.
func (u *stuck) enabled(s *session) error {
	if u.Disabled {
		return nil
	}
	var all []report
	if err := s.tx.DB().Where("rule = ?", u.Name).Order("reported_at, kind, resource_id").Find(&all).Error; err != nil {
		return err
	}
	for _, m := range all {
		if err := s.raise(u.Rule, about{kind: m.Kind, id: m.ResourceID, tenant: m.Tenant}, m.Message, timeOf(m.ReportedAt), 1); err != nil {
			return err
		}
	}
	return s.tx.DB().Where("rule = ?", u.Name).Delete(&report{}).Error
}
