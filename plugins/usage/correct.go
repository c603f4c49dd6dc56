package usage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// correction is a row of the ledger. Times are integer nanoseconds since 1970, UTC.
type correction struct {
	ID          bus.ID `gorm:"primaryKey"`
	Key         string
	Tenant      string
	Kind        string
	Meter       string
	ResourceID  string
	Size        `gorm:"embedded"`
	FromAt      int64
	ToAt        int64 // of what is about one moment: FromAt
	Seconds     int64
	Nanoseconds int64
	OpenedSeq   uint64
	Reverses    bus.ID
	Reason      string
	Actor       string
	CreatedAt   int64 `gorm:"autoCreateTime:false"`
}

// TableName is gorm's.
func (correction) TableName() string { return "usage_corrections" }

func (c Correction) row() *correction {
	from, to := c.From, c.To
	if from.IsZero() {
		from, to = c.At, c.At
	}
	return &correction{
		ID: c.ID, Key: c.Key, Tenant: c.Tenant, Kind: c.Kind, Meter: c.Meter, ResourceID: c.ResourceID, Size: c.Size, FromAt: from.UnixNano(), ToAt: to.UnixNano(),
		Seconds: c.Amount.Seconds, Nanoseconds: c.Amount.Nanoseconds, OpenedSeq: c.OpenedSeq, Reverses: c.Reverses, Reason: c.Reason, Actor: c.Actor, CreatedAt: c.CreatedAt.UnixNano(),
	}
}

func (r *correction) correction() Correction {
	c := Correction{
		ID: r.ID, Key: r.Key, Tenant: r.Tenant, Kind: r.Kind, Meter: r.Meter, ResourceID: r.ResourceID, Size: r.Size, Amount: Amount{r.Seconds, r.Nanoseconds},
		OpenedSeq: r.OpenedSeq, Reverses: r.Reverses, Reason: r.Reason, Actor: r.Actor, CreatedAt: time.Unix(0, r.CreatedAt).UTC(),
	}
	if r.FromAt == r.ToAt {
		c.At = time.Unix(0, r.FromAt).UTC()
	} else {
		c.From, c.To = time.Unix(0, r.FromAt).UTC(), time.Unix(0, r.ToAt).UTC()
	}
	return c
}

// Correct enters a correction, records its event, and returns it as it is in the ledger. A call with the key of an entry that says the same returns that entry; one that says
// something else is a *KeyError. Other errors: *CorrectionError, what Runtime.Write returns.
func (p *Plugin) Correct(ctx context.Context, c Correction) (Correction, error) {
	entry, _, err := p.correct(ctx, c)
	return entry, err
}

// correct also tells whether the entry is a new one.
func (p *Plugin) correct(ctx context.Context, c Correction) (entry Correction, isNew bool, err error) {
	if p.runtime == nil {
		return Correction{}, false, errors.New("usage: correct: the plugin hasn't started")
	}
	now := p.runtime.Now().Round(0).UTC()
	if c, err = c.check(p.table, now); err != nil {
		return Correction{}, false, err
	}
	err = p.runtime.Write(ctx, func(tx *journal.Tx) error {
		entry, isNew, err = c.enter(tx, now)
		return err
	})
	if err != nil {
		return Correction{}, false, err
	}
	return entry, isNew, nil
}

// enter writes a checked correction, unless its key is there.
func (c Correction) enter(tx *journal.Tx, now time.Time) (entry Correction, isNew bool, err error) {
	db := tx.DB()
	if c, err = c.complete(db); err != nil {
		return c, false, err
	}
	if there, err := keyed(db, c.Key); there != nil || err != nil {
		return c.same(there, err)
	}
	if err := c.checkReversed(db); err != nil {
		return c, false, err
	}
	if c.ID, c.CreatedAt = bus.NewID(now), now; c.At.IsZero() && c.From.IsZero() {
		c.At = now
	}
	done := db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "key"}}, DoNothing: true}).Create(c.row())
	if done.Error != nil {
		return c, false, done.Error
	}
	if done.RowsAffected == 0 { // another server was quicker
		return c.same(keyed(db, c.Key))
	}
	_, err = tx.Append(Corrected{c}, bus.WithTime(now), func(h *bus.Header) { h.Actor = c.Actor })
	return c, true, err
}

func keyed(db *gorm.DB, key string) (*correction, error) {
	return first(db.Where("key = ?", key))
}

func first(db *gorm.DB) (*correction, error) {
	var found []*correction
	if err := db.Limit(1).Find(&found).Error; err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// complete adds what the interval or the correction says that this one is about.
func (c Correction) complete(db *gorm.DB) (Correction, error) {
	if !c.Reverses.IsZero() {
		other, err := first(db.Where("id = ?", c.Reverses.String()))
		switch {
		case err != nil:
			return c, err
		case other == nil:
			return c, fault("reverses", c.Reverses.String(), "is no correction")
		}
		reversal := other.correction()
		reversal.ID, reversal.CreatedAt, reversal.Amount = bus.ID{}, time.Time{}, reversal.Amount.Neg()
		reversal.Key, reversal.Reverses, reversal.Reason, reversal.Actor = c.Key, c.Reverses, c.Reason, c.Actor
		return reversal, nil
	}
	if c.OpenedSeq == 0 {
		return c, nil
	}
	var found []interval
	if err := db.Where("opened_seq = ? AND meter = ?", c.OpenedSeq, c.Meter).Find(&found).Error; err != nil {
		return c, err
	}
	if len(found) == 0 {
		return c, fault("opened_seq", fmt.Sprint(c.OpenedSeq), "opened no interval of meter %s", c.Meter)
	}
	return c.completeFrom(found[0])
}

func (c Correction) completeFrom(i interval) (Correction, error) {
	switch {
	case c.Tenant != "" && c.Tenant != i.Tenant:
		return c, fault("tenant", c.Tenant, "isn't that of interval %d, which is %q", c.OpenedSeq, i.Tenant)
	case c.ResourceID != "" && c.ResourceID != i.ResourceID:
		return c, fault("resource_id", c.ResourceID, "isn't that of interval %d, which is %q", c.OpenedSeq, i.ResourceID)
	case c.Size != (Size{}) && c.Size != i.Size:
		return c, fault("size", fmt.Sprintf("%+v", c.Size), "isn't that of interval %d, which is %+v", c.OpenedSeq, i.Size)
	}
	c.Tenant, c.ResourceID, c.Size = i.Tenant, i.ResourceID, i.Size
	return c, nil
}

// checkReversed: what is undone can't be undone again; its reversal can.
func (c Correction) checkReversed(db *gorm.DB) error {
	if c.Reverses.IsZero() {
		return nil
	}
	other, err := first(db.Where("reverses = ?", c.Reverses.String()))
	if err == nil && other != nil {
		err = fault("reverses", c.Reverses.String(), "is reversed already, by %s", other.ID)
	}
	return err
}

// same compares a call with the entry that has its key.
func (c Correction) same(row *correction, err error) (entry Correction, isNew bool, _ error) {
	if err != nil {
		return c, false, err
	}
	entry = row.correction()
	timed := !c.At.IsZero() || !c.From.IsZero()
	for _, f := range []struct {
		field string
		same  bool
	}{
		{"meter", c.Meter == entry.Meter}, {"tenant", c.Tenant == entry.Tenant}, {"resource_id", c.ResourceID == entry.ResourceID}, {"size", c.Size == entry.Size},
		{"seconds", c.Amount == entry.Amount}, {"at", !timed || c.At.Equal(entry.At)}, {"from", !timed || c.From.Equal(entry.From)}, {"to", !timed || c.To.Equal(entry.To)},
		{"opened_seq", c.OpenedSeq == entry.OpenedSeq}, {"reverses", c.Reverses == entry.Reverses}, {"reason", c.Reason == entry.Reason}, {"actor", c.Actor == entry.Actor},
	} {
		if !f.same {
			return c, false, &KeyError{Key: c.Key, ID: entry.ID, Field: f.field}
		}
	}
	return entry, false, nil
}
