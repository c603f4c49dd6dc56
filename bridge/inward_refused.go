package bridge

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// Refused is a letter that was no event.
type Refused struct {
	N       int64               `json:"n"` // rises
	At      time.Time           `json:"at"`
	Seq     uint64              `json:"seq"` // in the stream
	Reason  string              `json:"reason"`
	Subject string              `json:"subject"`
	Header  map[string][]string `json:"header,omitempty"`
	Size    int64               `json:"size"` // of the data
	Data    []byte              `json:"data"` // in JSON base64; the first 64 KiB
}

// RefusedError: letters that were no events lie in the table bridge_refused.
type RefusedError struct {
	Name   string // of the way in: "nats"
	Count  int64  // at most 1,000 are kept
	Reason string // of the newest
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("bridge: %d letters were refused, the newest because %s (GET /v1/inward/%s/refused)", e.Count, e.Reason, e.Name)
}

// Refused returns letters that were no events, oldest first: those with a number above after, at most limit.
func (i *Inward) Refused(ctx context.Context, after int64, limit int) ([]Refused, error) {
	rows := []struct {
		N, At, Seq, Size int64
		Reason, Letter   string
	}{}
	err := i.rt.Read().WithContext(ctx).Raw("SELECT n, at, seq, size, reason, letter FROM bridge_refused WHERE name = ? AND n > ? ORDER BY n LIMIT ?", i.options.Name, after, limit).
		Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("bridge: refused letters: %w", err)
	}
	all := make([]Refused, len(rows))
	for n, row := range rows {
		var l Letter
		if err := json.Unmarshal([]byte(row.Letter), &l); err != nil {
			return nil, fmt.Errorf("bridge: refused letter %d: %w", row.N, err)
		}
		all[n] = Refused{N: row.N, At: journal.TimeOf(row.At), Seq: uint64(row.Seq), Reason: row.Reason, Subject: l.Subject, Header: l.Header, Size: row.Size, Data: l.Data}
	}
	return all, nil
}

func (i *Inward) refusedHealth(ctx context.Context) error {
	var count int64
	var reason string
	db := i.rt.Read().WithContext(ctx)
	err := db.Raw("SELECT COUNT(*) FROM bridge_refused WHERE name = ?", i.options.Name).Scan(&count).Error
	if err == nil && count > 0 {
		err = db.Raw("SELECT reason FROM bridge_refused WHERE name = ? ORDER BY n DESC LIMIT 1", i.options.Name).Scan(&reason).Error
	}
	switch {
	case err != nil:
		return fmt.Errorf("bridge: refused letters: %w", err)
	case count == 0:
		return nil
	}
	return &RefusedError{Name: i.options.Name, Count: count, Reason: reason}
}

const (
	refusedPage = 100
	refusedMost = refusedKept
)

// listRefused answers GET /v1/inward/<name>/refused?after&limit.
func (i *Inward) listRefused() http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		params, err := plugins.Params(r, "after", "limit")
		after, limit := int64(0), refusedPage
		if err == nil && params.Get("after") != "" {
			after, err = strconv.ParseInt(params.Get("after"), 10, 64)
		}
		if err == nil && params.Get("limit") != "" {
			if limit, err = strconv.Atoi(params.Get("limit")); err == nil && (limit < 1 || limit > refusedMost) {
				err = fmt.Errorf("bridge: limit %d: must be 1 to %d", limit, refusedMost)
			}
		}
		if err != nil {
			plugins.RespondError(w, http.StatusBadRequest, err)
			return
		}
		all, err := i.Refused(r.Context(), after, limit)
		if err != nil {
			plugins.RespondError(w, http.StatusServiceUnavailable, err)
			return
		}
		plugins.Respond(w, http.StatusOK, map[string][]Refused{"refused": all})
	}
}

// deleteRefused answers DELETE /v1/inward/<name>/refused/<n>.
func (i *Inward) deleteRefused() http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
		if err != nil {
			plugins.RespondError(w, http.StatusBadRequest, fmt.Errorf("bridge: refused letter %q: must be a number", r.PathValue("n")))
			return
		}
		var gone int64
		err = i.rt.Write(r.Context(), func(tx *journal.Tx) error {
			done, err := tx.Exec("DELETE FROM bridge_refused WHERE name = $1 AND n = $2", i.options.Name, n)
			if err == nil {
				gone, err = done.RowsAffected()
			}
			return err
		})
		switch {
		case err != nil:
			plugins.RespondError(w, http.StatusServiceUnavailable, err)
		case gone == 0:
			plugins.RespondError(w, http.StatusNotFound, fmt.Errorf("bridge: there is no refused letter %d", n))
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}
}
