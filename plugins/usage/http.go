package usage

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/plugins"
)

// serve answers GET /v1/usage?from&to&tenant&kind&meter&resource&by&bucket&tz&format.
func (p *Plugin) serve(w http.ResponseWriter, r *http.Request) {
	q, format, err := parse(r)
	if err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	report, err := p.Report(r.Context(), q)
	switch {
	case err != nil:
		p.refuse(w, "usage report failed", err)
	case format == "csv":
		respondCSV(w, report)
	default:
		plugins.Respond(w, http.StatusOK, report)
	}
}

// refuse answers with an error: the caller's fault is told to him, others are for the log.
func (p *Plugin) refuse(w http.ResponseWriter, what string, err error) {
	var query *QueryError
	var content *CorrectionError
	var key *KeyError
	switch {
	case errors.As(err, &query), errors.As(err, &content):
		plugins.RespondError(w, http.StatusBadRequest, err)
	case errors.As(err, &key):
		plugins.RespondError(w, http.StatusConflict, err)
	default:
		p.runtime.Logger().Error(what, "error", err)
		plugins.RespondError(w, http.StatusServiceUnavailable, errors.New("usage: the ledger can't be used now"))
	}
}

// serveReconcile answers GET /v1/usage/reconcile.
func (p *Plugin) serveReconcile(w http.ResponseWriter, r *http.Request) {
	if _, err := plugins.Params(r); err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	result, err := p.Reconcile(r.Context())
	switch {
	case errors.Is(err, ErrReconciling):
		plugins.RespondError(w, http.StatusConflict, err)
	case err != nil:
		p.refuse(w, "the ledger can't be reconciled", err)
	default:
		plugins.Respond(w, http.StatusOK, result)
	}
}

func respondCSV(w http.ResponseWriter, report *Report) {
	var body bytes.Buffer
	if err := report.WriteCSV(&body); err != nil {
		plugins.RespondError(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = body.WriteTo(w) // a client that left needs no answer
}

func parse(r *http.Request) (q Query, format string, err error) {
	values, err := plugins.Params(r, "from", "to", "tenant", "kind", "meter", "resource", "by", "bucket", "tz", "format")
	if err != nil {
		return q, "", err
	}
	if q.From, err = parseTime(values, "from"); err != nil {
		return q, "", err
	}
	if q.To, err = parseTime(values, "to"); err != nil {
		return q, "", err
	}
	q.Tenant, q.Kind, q.Meter, q.ResourceID = values.Get("tenant"), values.Get("kind"), values.Get("meter"), values.Get("resource")
	q.Bucket, q.TZ = values.Get("bucket"), values.Get("tz")
	if by := values.Get("by"); by != "" {
		q.By = strings.Split(by, ",")
	}
	switch format = values.Get("format"); format {
	case "", "json", "csv":
		return q, format, nil
	}
	return q, "", &QueryError{Field: "format", Value: format, Reason: "is unknown", Known: []string{"json", "csv"}}
}

func parseTime(values url.Values, name string) (time.Time, error) {
	value := values.Get(name)
	if value == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		return time.Time{}, &QueryError{Field: name, Value: value, Reason: "is no RFC 3339 time such as 2026-05-01T00:00:00Z"}
	}
	return t, nil
}
