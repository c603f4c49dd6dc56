package alerts

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Acknowledge is refused with these, and *QueryError for what it is given.
var (
	ErrNotFound = errors.New("alerts: there is no such alert")
	ErrCleared  = errors.New("alerts: it is cleared, so there is nothing to acknowledge")
)

const (
	maxBy   = 255
	maxNote = 1024
)

// Acknowledge notes that somebody takes care of an active alert, and why it may wait. It isn't told again then, until it's cleared, which ends the acknowledgement; one of a group holds for
// its members, those to come included. It's recorded as the event alert.<name>.acknowledged. Another one takes its place; the same again changes nothing.
// Errors: ErrNotFound, ErrCleared; *QueryError for an id, a by (1 to 255 bytes) or a note (at most 1,024).
func (p *Plugin) Acknowledge(ctx context.Context, id, by, note string) (Alert, error) {
	if err := p.started("acknowledge"); err != nil {
		return Alert{}, err
	}
	if err := checkAcknowledgement(by, note); err != nil {
		return Alert{}, err
	}
	id, err := alertID(id)
	if err != nil {
		return Alert{}, err
	}
	var a Alert
	err = p.write(ctx, func(s *session) error {
		r, err := s.byID(id)
		switch {
		case err != nil:
			return err
		case r.ClearedAt != 0:
			return fmt.Errorf("%w: %s", ErrCleared, id)
		}
		err = s.acknowledge(r, by, note)
		a = r.alert()
		return err
	})
	return a, err
}

func checkAcknowledgement(by, note string) error {
	for _, c := range []struct {
		field, value string
		least, most  int
	}{{"by", by, 1, maxBy}, {"note", note, 0, maxNote}} {
		switch {
		case len(c.value) < c.least:
			return &QueryError{Field: c.field, Value: c.value, Reason: "is missing: who takes care"}
		case len(c.value) > c.most:
			return &QueryError{Field: c.field, Value: strconv.Itoa(len(c.value)) + " bytes", Reason: fmt.Sprintf("is too long: at most %d bytes are allowed", c.most)}
		}
		if fault := bus.TextFault(c.value); fault != "" {
			return &QueryError{Field: c.field, Value: c.value, Reason: fault}
		}
	}
	return nil
}

// byID returns an alert; ErrNotFound.
func (s *session) byID(id string) (*row, error) {
	var found []*row
	if err := s.tx.DB().Where("id = ?", id).Limit(1).Find(&found).Error; err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	return found[0], nil
}

func (s *session) acknowledge(a *row, by, note string) error {
	if a.AcknowledgedAt != 0 && a.AcknowledgedBy == by && a.Note == note {
		return nil
	}
	a.AcknowledgedAt, a.AcknowledgedBy, a.Note, a.NotifyAt = s.now.UnixNano(), by, note, 0
	if err := s.save(a, "acknowledged_at", "acknowledged_by", "note", "notify_at"); err != nil {
		return err
	}
	if a.IsGroup == 1 {
		err := s.tx.DB().Exec("UPDATE alerts SET acknowledged_at = ?, acknowledged_by = ?, note = ? WHERE grouped_by = ? AND cleared_at = 0", a.AcknowledgedAt, by, note, a.ID).Error
		if err != nil {
			return err
		}
	}
	return s.notify(a, Notice{What: Acknowledged, Alert: a.alert()}, s.now)
}
