package status

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Quarantined is a message that was rejected.
type Quarantined struct {
	ID          string              `json:"id"`
	Reason      Reason              `json:"reason"`
	Detail      string              `json:"detail"`
	Subject     string              `json:"subject"`
	MessageID   string              `json:"message_id,omitempty"`
	Header      map[string][]string `json:"header,omitempty"` // as it came; left out if it has more than 64 KiB
	Data        []byte              `json:"data,omitempty"`   // as it came; the first 64 KiB of it
	Size        int64               `json:"size"`             // of the data that came, in bytes, and of a header that is left out
	Seq         uint64              `json:"stream_sequence"`
	StoredAt    time.Time           `json:"stored_at"` // by the stream
	RejectedAt  time.Time           `json:"rejected_at"`
	Provider    string              `json:"provider,omitempty"` // what was known of it by then, here and below
	ServiceType string              `json:"service_type,omitempty"`
	ResourceID  string              `json:"resource_id,omitempty"`
}

// stored counts what is in the tables, to keep them bounded. Other servers write there too: it is counted anew now and then.
type stored struct{ rows, bytes, held atomic.Int64 }

func (i *Ingest) count(ctx context.Context) error {
	read := i.runtime.Read().WithContext(ctx)
	var rows, size, held int64
	err := errors.Join(
		read.Raw("SELECT count(*), coalesce(sum("+quarantineSize+"), 0) FROM status_quarantine").Row().Scan(&rows, &size),
		read.Raw("SELECT count(*) FROM status_held").Row().Scan(&held))
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	i.store.rows.Store(rows)
	i.store.bytes.Store(size)
	i.store.held.Store(held)
	return nil
}

// quarantine keeps what was rejected, and tells of providers that reported what isn't theirs.
func (i *Ingest) quarantine(ctx context.Context, items []*item, now time.Time) error {
	var bad []*item
	for _, it := range items {
		switch it.outcome {
		case isRejected:
			bad = append(bad, it)
		case isHeld:
			i.store.held.Add(1) // at most; counted anew later
		}
	}
	if len(bad) == 0 {
		return nil
	}
	var rows, size int64
	err := i.runtime.Write(ctx, func(tx *journal.Tx) error {
		rows, size = 0, 0
		for _, it := range bad {
			kept, err := i.keep(tx, it, now)
			if err != nil {
				return err
			}
			if kept > 0 {
				rows, size = rows+1, size+kept
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	i.store.rows.Add(rows)
	i.store.bytes.Add(size)
	i.complain(ctx, "messages of providers were rejected", "count", len(bad), "first", bad[0].rejected, "subject", bad[0].letter.Subject)
	return i.trimQuarantine(ctx)
}

// keep writes one rejected message, and the event about a wrong provider. It returns how many bytes are kept now, 0 if they were before.
func (i *Ingest) keep(tx *journal.Tx, it *item, now time.Time) (kept int64, err error) {
	l := it.letter
	if it.fromHeld {
		l.Letter, l.Seq, l.Time = it.report.letter(), uint64(it.mark.seq), time.Unix(0, it.mark.time)
	}
	size := len(l.Data)
	if n := headerSize(l.Letter); n > MaxSize {
		l.Header, size = nil, size+n
	}
	header, err := json.Marshal(l.Header)
	if err != nil {
		return 0, err
	}
	data := l.Data[:min(len(l.Data), MaxSize)]
	if data == nil {
		data = []byte{}
	}
	written, err := changed(tx.Exec(i.text.quarantine, quarantineID(l), string(it.rejected.Reason), clean(it.rejected.Detail, maxMessage), clean(l.Subject, maxAttribute),
		clean(l.ID, maxAttribute), string(header), data, int64(size), int64(l.Seq), l.Time.UnixNano(), now.UnixNano(),
		clean(it.report.Provider, maxAttribute), clean(it.report.ServiceType, maxAttribute), clean(it.report.ResourceID, maxResourceID)))
	if written {
		kept = int64(len(data) + len(header))
	}
	if err != nil || it.owner == "" || !i.misled.due(it.report.Kind+"/"+it.report.ResourceID+" "+it.report.Provider, now) {
		return kept, err
	}
	_, err = tx.Append(resources.Misreported{
		Kind: it.report.Kind, ResourceID: it.report.ResourceID, Provider: it.report.Provider, Owner: it.owner, Status: string(it.report.Status), Time: journal.TimeOf(it.mark.time),
	}, at(now.UnixNano()))
	return kept, err
}

// quarantineID is the same for the same message of a stream, and rises with the time at which the stream stored it.
func quarantineID(d bridge.Delivery) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%d %q %q %d ", d.Seq, d.Subject, d.ID, len(d.Data))
	h.Write(d.Data)
	return fmt.Sprintf("%016x%s", uint64(d.Time.UnixNano()), hex.EncodeToString(h.Sum(nil)[:8]))
}

// letter writes what a held observation came as.
func (r *Report) letter() bridge.Letter {
	body, err := json.Marshal(map[string]any{
		"specversion": "1.0", "id": r.ID, "source": r.Source, "type": typeRoot + r.ServiceType, "subject": Subject(r.ServiceType),
		"time": r.Time.Format(time.RFC3339Nano), extSequence: sequenceText(r.Sequence), extRawStatus: r.Raw, "datacontenttype": jsonMediaType,
		"data": payload{ID: r.ResourceID, Status: r.Status, Message: r.Message},
	})
	if err != nil {
		return bridge.Letter{}
	}
	return bridge.Letter{ID: r.ID, Subject: Subject(r.ServiceType), Data: body}
}

// trimQuarantine drops the oldest beyond the limits.
func (i *Ingest) trimQuarantine(ctx context.Context) error {
	for i.store.rows.Load() > int64(i.options.MaxQuarantine) || i.store.bytes.Load() > i.options.MaxQuarantineBytes {
		var rows, size int64
		err := i.runtime.Write(ctx, func(tx *journal.Tx) error {
			n := min(max(i.store.rows.Load()-int64(i.options.MaxQuarantine), 1), atOnce)
			oldest := "SELECT id FROM status_quarantine ORDER BY id LIMIT ?"
			if err := tx.DB().Raw("SELECT count(*), coalesce(sum("+quarantineSize+"), 0) FROM status_quarantine WHERE id IN ("+oldest+")", n).Row().Scan(&rows, &size); err != nil {
				return err
			}
			return tx.DB().Exec("DELETE FROM status_quarantine WHERE id IN ("+oldest+")", n).Error
		})
		if err != nil {
			return err
		}
		if rows == 0 {
			return i.count(ctx)
		}
		i.store.rows.Add(-rows)
		i.store.bytes.Add(-size)
		i.counts.dropped.Add(uint64(rows))
	}
	return nil
}

// QuarantineQuery selects rejected messages. The zero value lists all.
type QuarantineQuery struct {
	Reason   Reason // "": any
	Provider string // "": any
	After    string // the last ID of the page before
	Limit    int    // Defaults to 100; at most 1,000
}

// Quarantine lists rejected messages in the order in which the stream stored them, without their data. next is the After of the next page, "" at the end.
// Errors: *resources.InvalidError.
func (i *Ingest) Quarantine(ctx context.Context, q QuarantineQuery) (page []Quarantined, next string, err error) {
	limit, err := limitOf(q.Limit)
	if err != nil {
		return nil, "", err
	}
	if !askable(q.After) {
		return nil, "", &resources.InvalidError{Field: "after", Reason: "isn't the next of a page"}
	}
	where, args := conditions{"id > ?"}, []any{q.After}
	if err := errors.Join(where.equal(&args, "reason", string(q.Reason)), where.equal(&args, "provider", q.Provider)); err != nil {
		return nil, "", err
	}
	page, err = i.quarantined(ctx, strings.Replace(quarantineColumns, "data", "NULL", 1), where.String()+" ORDER BY id LIMIT ?", append(args, limit+1)...)
	if len(page) > limit {
		page, next = page[:limit], page[limit-1].ID
	}
	return page, next, err
}

// FindQuarantined returns a rejected message with its data; resources.ErrNotFound.
func (i *Ingest) FindQuarantined(ctx context.Context, id string) (Quarantined, error) {
	if !askable(id) {
		return Quarantined{}, notQuarantined(id)
	}
	found, err := i.quarantined(ctx, quarantineColumns, "WHERE id = ?", id)
	if err == nil && len(found) == 0 {
		err = notQuarantined(id)
	}
	if err != nil {
		return Quarantined{}, err
	}
	return found[0], nil
}

func notQuarantined(id string) error {
	return fmt.Errorf("status: quarantined message %.64q: %w", id, resources.ErrNotFound)
}

func (i *Ingest) quarantined(ctx context.Context, columns, where string, args ...any) ([]Quarantined, error) {
	rows, err := i.runtime.Read().WithContext(ctx).Raw("SELECT "+columns+" FROM status_quarantine "+where, args...).Rows()
	if err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	defer func() { _ = rows.Close() }()
	all := []Quarantined{}
	for rows.Next() {
		var q Quarantined
		var header string
		var seq, storedAt, rejectedAt int64
		err := rows.Scan(&q.ID, &q.Reason, &q.Detail, &q.Subject, &q.MessageID, &header, &q.Data, &q.Size, &seq, &storedAt, &rejectedAt, &q.Provider, &q.ServiceType, &q.ResourceID)
		if err == nil {
			err = json.Unmarshal([]byte(header), &q.Header)
		}
		if err != nil {
			return nil, fmt.Errorf("status: %w", err)
		}
		q.Seq, q.StoredAt, q.RejectedAt = uint64(seq), journal.TimeOf(storedAt), journal.TimeOf(rejectedAt)
		all = append(all, q)
	}
	return all, rows.Err()
}

// Replay takes a rejected message again, as if it had come now for the first time, in its old place among others; after a provider or a
// server was changed. What is taken leaves the quarantine: it may turn out to be older than what is stored by now. Errors:
// *RejectError, if it is rejected again, and stays; resources.ErrNotFound; what the database says.
func (i *Ingest) Replay(ctx context.Context, id string) error {
	q, err := i.FindQuarantined(ctx, id)
	if err != nil {
		return err
	}
	if q.Size > int64(len(q.Data)) {
		return reject(TooLarge, "%d bytes; at most %d are allowed, and kept", q.Size, MaxSize)
	}
	d := bridge.Delivery{Letter: bridge.Letter{ID: q.MessageID, Subject: q.Subject, Header: q.Header, Data: q.Data}, Seq: q.Seq, Time: q.StoredAt}
	i.applying.Lock()
	defer i.applying.Unlock()
	it := i.decode(&d)
	if it.rejected == nil {
		if err := i.apply(ctx, []*item{it}); err != nil {
			return err
		}
	}
	if it.rejected != nil {
		return it.rejected
	}
	return i.Discard(ctx, id)
}

// Discard removes a rejected message for good; resources.ErrNotFound.
func (i *Ingest) Discard(ctx context.Context, id string) error {
	if !askable(id) {
		return notQuarantined(id)
	}
	var gone int64
	err := i.runtime.Write(ctx, func(tx *journal.Tx) error {
		res := tx.DB().Exec("DELETE FROM status_quarantine WHERE id = ?", id)
		gone = res.RowsAffected
		return res.Error
	})
	if err != nil {
		return err
	}
	if gone == 0 {
		return notQuarantined(id)
	}
	return i.count(ctx)
}
