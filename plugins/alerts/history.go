package alerts

import (
	"context"
	"time"
)

const (
	forgetEvery  = time.Hour
	forgetAtOnce = 500 // alerts in one transaction
)

// forget removes alerts that were cleared long ago, and those over the number that is kept; the oldest first.
func (p *Plugin) forget(ctx context.Context, now time.Time) error {
	if now.UnixNano() < p.forgetAt.Load() {
		return nil
	}
	until, err := p.horizon(ctx, now)
	if err != nil {
		return err
	}
	for {
		var ids []string
		db := p.runtime.Read().WithContext(ctx)
		if err := db.Model(&row{}).Where("cleared_at > 0 AND cleared_at < ?", until).Order("cleared_at").Limit(forgetAtOnce).Pluck("id", &ids).Error; err != nil {
			return err
		}
		if len(ids) == 0 {
			break
		}
		err := p.write(ctx, func(s *session) error {
			if err := s.tx.DB().Where("alert_id IN ?", ids).Delete(&noticeRow{}).Error; err != nil {
				return err
			}
			return s.tx.DB().Where("id IN ? AND cleared_at > 0", ids).Delete(&row{}).Error
		})
		if err != nil {
			return err
		}
	}
	p.forgetAt.Store(now.Add(forgetEvery).UnixNano())
	return nil
}

// horizon is when what is removed was cleared at the latest.
func (p *Plugin) horizon(ctx context.Context, now time.Time) (int64, error) {
	until := now.Add(-time.Duration(p.options.History)).UnixNano()
	var first []int64 // of those that are too many
	err := p.runtime.Read().WithContext(ctx).Model(&row{}).Where("cleared_at > 0").Order("cleared_at DESC").Offset(int(p.options.HistoryMax)).Limit(1).Pluck("cleared_at", &first).Error
	if len(first) > 0 {
		until = max(until, first[0]+1)
	}
	return until, err
}
