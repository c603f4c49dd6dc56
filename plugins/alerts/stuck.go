package alerts

import (
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"gorm.io/gorm/clause"
)

// stuck is the rule over resources that stay in a transitional state: it follows the engine's reports, <kind>.stuck.
type stuck struct {
	Stuck
	machines map[string]*fsm.Machine
}

// muted is a report that came while the rule was disabled, of a stay that isn't over.
type muted struct {
	Kind       string `gorm:"primaryKey"`
	ResourceID string `gorm:"primaryKey"`
	Tenant     string
	Message    string
	ReportedAt int64
}

// TableName is gorm's.
func (muted) TableName() string { return "alerts_muted" }

// reported raises, or counts as a repeat. A rule that is disabled keeps the report for the day when it is enabled again.
func (s *stuck) reported(tx *journal.Tx, r resources.Stuck, at time.Time) error {
	message := fmt.Sprintf("%s/%s has been %s since %s, longer than the limit of %s", r.Kind, r.ResourceID, r.State, r.Since.UTC().Format(time.RFC3339), r.Limit)
	if s.Disabled {
		m := muted{r.Kind, r.ResourceID, r.Tenant, message, at.UnixNano()}
		return tx.DB().Clauses(clause.OnConflict{UpdateAll: true}).Create(&m).Error
	}
	return s.raise(tx, muted{r.Kind, r.ResourceID, r.Tenant, message, at.UnixNano()})
}

func (s *stuck) raise(tx *journal.Tx, m muted) error {
	return raiseAlert(tx, row{
		Name: StuckRule, Kind: m.Kind, ResourceID: m.ResourceID, Tenant: m.Tenant, Severity: s.Severity, Message: m.Message,
	}, timeOf(m.ReportedAt), 1)
}

// changed clears the alert of a resource that has left the state it was stuck in.
func (s *stuck) changed(tx *journal.Tx, c resources.Change) error {
	class, _ := s.machines[c.Kind].Class(c.From)
	if class != fsm.Transitional || c.From == c.To {
		return nil
	}
	if s.Disabled {
		if err := tx.DB().Where("kind = ? AND resource_id = ?", c.Kind, c.ResourceID).Delete(&muted{}).Error; err != nil {
			return err
		}
	}
	return clearAlert(tx, StuckRule, c.Kind, c.ResourceID, c.Time)
}

// unmute raises what was reported while the rule was disabled.
func (s *stuck) unmute(tx *journal.Tx) error {
	var all []muted
	if err := tx.DB().Order("reported_at").Find(&all).Error; err != nil {
		return err
	}
	for _, m := range all {
		if err := s.raise(tx, m); err != nil {
			return err
		}
	}
	return tx.DB().Where("1 = 1").Delete(&muted{}).Error
}
