package alerts

import (
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// raiseAlert raises an alert, or counts so many repeats of the one that is active for the same rule and resource.
func raiseAlert(tx *journal.Tx, a row, at time.Time, times int64) error {
	now := at.UnixNano()
	active, err := activeAlert(tx, a.Name, a.Kind, a.ResourceID)
	if err != nil {
		return err
	}
	if active != nil {
		return tx.DB().Model(&row{}).Where("id = ?", active.ID).
			Updates(map[string]any{"count": active.Count + times, "last_at": max(now, active.LastAt), "message": a.Message}).Error
	}
	id := bus.NewID(at)
	a.ID, a.RaisedAt, a.LastAt, a.Count = id.String(), now, now, times
	if err := tx.DB().Create(&a).Error; err != nil {
		return err
	}
	_, err = tx.Append(Notice{Raised, a.alert()}, bus.WithID(id), bus.WithTime(at))
	return err
}

// clearAlert clears the active alert of a rule and resource, if there is one.
func clearAlert(tx *journal.Tx, name, kind, id string, at time.Time) error {
	a, err := activeAlert(tx, name, kind, id)
	if err != nil || a == nil {
		return err
	}
	a.ClearedAt = max(at.UnixNano(), a.RaisedAt)
	if err := tx.DB().Model(&row{}).Where("id = ?", a.ID).Update("cleared_at", a.ClearedAt).Error; err != nil {
		return err
	}
	_, err = tx.Append(Notice{Cleared, a.alert()}, bus.WithTime(timeOf(a.ClearedAt)))
	return err
}

func activeAlert(tx *journal.Tx, name, kind, id string) (*row, error) {
	var found []*row
	err := tx.DB().Where("name = ? AND kind = ? AND resource_id = ? AND cleared_at = 0", name, kind, id).Limit(1).Find(&found).Error
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}
