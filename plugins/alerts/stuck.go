package alerts

import (
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"gorm.io/gorm/clause"
)

// stuck is the rule over resources that stay in a transitional state.
type stuck struct {
	limits   map[string]map[fsm.State]time.Duration // by kind
	severity string
}

// pending is a resource in a transitional state, and when it will have been there for too long.
type pending struct {
	Kind       string `gorm:"primaryKey"`
	ResourceID string `gorm:"primaryKey"`
	Tenant     string
	State      fsm.State
	Since      int64
	DueAt      int64
	Seq        uint64 // of the newest change that was seen
}

// TableName is gorm's.
func (pending) TableName() string { return "alerts_pending" }

// observe notes that a resource entered or left a transitional state. It returns when the resource will be due, or 0.
func (s *stuck) observe(tx *journal.Tx, e bus.Event[resources.AnyChanged]) (due int64, err error) {
	c := e.Payload.What()
	limit := s.limits[c.Kind][c.To]
	if limit == 0 && s.limits[c.Kind][c.From] == 0 {
		return 0, nil
	}
	var found []pending
	if err := tx.DB().Where("kind = ? AND resource_id = ?", c.Kind, c.ResourceID).Limit(1).Find(&found).Error; err != nil {
		return 0, err
	}
	since := stateSince(e.Payload).UnixNano()
	next := pending{c.Kind, c.ResourceID, c.Tenant, c.To, since, since + int64(limit), e.Seq}
	if len(found) > 0 {
		if p := found[0]; p.State == c.To && p.Since == since {
			next.DueAt = p.DueAt
		} else if err := clearAlert(tx, StuckRule, c.Kind, c.ResourceID, c.Time); err != nil {
			return 0, err
		}
	}
	if limit == 0 {
		return 0, tx.DB().Where("kind = ? AND resource_id = ?", c.Kind, c.ResourceID).Delete(&pending{}).Error
	}
	return next.DueAt, tx.DB().Clauses(clause.OnConflict{UpdateAll: true}).Create(&next).Error
}

// stateSince is when the resource entered the state it's in after a change.
func stateSince(change resources.AnyChanged) time.Time {
	if o := resources.ObjectOf(change.Snapshot()); o != nil && !o.StateSince.IsZero() {
		return o.StateSince
	}
	return change.What().Time
}

// check raises an alert for a resource that is due, unless it has moved on meanwhile.
func (s *stuck) check(tx *journal.Tx, p pending, now time.Time) error {
	next := p.after(now, s.limits[p.Kind][p.State])
	moved := tx.DB().Model(&pending{}).
		Where("kind = ? AND resource_id = ? AND seq = ? AND due_at = ?", p.Kind, p.ResourceID, p.Seq, p.DueAt).
		Update("due_at", next)
	if moved.Error != nil || moved.RowsAffected == 0 {
		return moved.Error
	}
	return raiseAlert(tx, row{
		Name: StuckRule, Kind: p.Kind, ResourceID: p.ResourceID, Tenant: p.Tenant, Severity: s.severity, Message: s.message(p),
	}, now, 1)
}

// after returns the first whole number of limits after p's entry that is after now. A state that no longer has a limit is asked about in a day.
func (p pending) after(now time.Time, limit time.Duration) int64 {
	if limit <= 0 {
		return now.Add(24 * time.Hour).UnixNano()
	}
	passed := (now.UnixNano() - p.Since) / int64(limit)
	return p.Since + (passed+1)*int64(limit)
}

func (s *stuck) message(p pending) string {
	return fmt.Sprintf("%s/%s has been %s since %s, longer than the limit of %s",
		p.Kind, p.ResourceID, p.State, timeOf(p.Since).Format(time.RFC3339), s.limits[p.Kind][p.State])
}
