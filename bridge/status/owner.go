package status

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources"
)

// HandOver makes a resource another provider's: its reports are taken from now on, and no others. "" releases it: it is the next provider's
// that reports it. Until somebody reports, what was observed stays as it is. Errors: resources.ErrNotFound if nothing was observed or is
// held of the resource; *resources.InvalidError.
func (i *Ingest) HandOver(ctx context.Context, kind, id, provider string) error {
	if clean(provider, maxAttribute) != provider {
		return &resources.InvalidError{Kind: kind, ID: id, Field: "provider", Reason: fmt.Sprintf("has more than %d bytes, or control characters", maxAttribute)}
	}
	none := fmt.Errorf("status: %w: nothing was observed of %s/%s", resources.ErrNotFound, kind, id)
	if !askable(kind, id) {
		return none
	}
	i.applying.Lock()
	defer i.applying.Unlock()
	var found int64
	err := i.runtime.Write(ctx, func(tx *journal.Tx) error {
		seen := tx.DB().Exec("UPDATE status_observations SET provider = ?, revision = revision + 1 WHERE kind = ? AND resource_id = ?", provider, kind, id)
		if seen.Error != nil {
			return seen.Error
		}
		held := tx.DB().Exec("UPDATE status_held SET provider = ? WHERE kind = ? AND resource_id = ?", provider, kind, id)
		found = seen.RowsAffected + held.RowsAffected
		return held.Error
	})
	if err == nil && found == 0 {
		err = none
	}
	return err
}

// Provider is who reports, with what is stored of him.
type Provider struct {
	Name         string    `json:"name"`
	Resources    int64     `json:"resources"`              // that are his
	Differ       int64     `json:"differ"`                 // of those: own state and observed status disagree
	Held         int64     `json:"held"`                   // reported, but not there
	Orphans      int64     `json:"orphans"`                // of those: for longer than the limit
	Quarantined  int64     `json:"quarantined"`            // rejected messages that are kept
	LastReceived time.Time `json:"last_received,omitzero"` // the newest report that was stored
}

// Providers lists who has reported, in order of their names.
func (i *Ingest) Providers(ctx context.Context) ([]Provider, error) {
	rows, err := i.runtime.Read().WithContext(ctx).Raw(`SELECT provider, sum(resources), sum(differ), sum(held), sum(orphans), sum(quarantined), max(received) FROM (
		SELECT provider, count(*) AS resources, sum(CASE WHEN differs_at > 0 THEN 1 ELSE 0 END) AS differ, 0 AS held, 0 AS orphans, 0 AS quarantined, max(received_at) AS received
			FROM status_observations GROUP BY provider
		UNION ALL SELECT provider, 0, 0, count(*), sum(CASE WHEN orphaned_at > 0 THEN 1 ELSE 0 END), 0, max(received_at) FROM status_held GROUP BY provider
		UNION ALL SELECT provider, 0, 0, 0, 0, count(*), 0 FROM status_quarantine WHERE provider <> '' GROUP BY provider) AS everything
		GROUP BY provider ORDER BY provider`).Rows()
	if err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	defer func() { _ = rows.Close() }()
	all := []Provider{}
	for rows.Next() {
		var p Provider
		var received int64
		if err := rows.Scan(&p.Name, &p.Resources, &p.Differ, &p.Held, &p.Orphans, &p.Quarantined, &received); err != nil {
			return nil, fmt.Errorf("status: %w", err)
		}
		p.LastReceived = journal.TimeOf(received)
		all = append(all, p)
	}
	return all, rows.Err()
}
