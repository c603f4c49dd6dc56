package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
)

// maxBody is how long a request's body may be, in bytes.
const maxBody = 16 << 10

// route adds the routes.
func (i *Ingest) route() error {
	var errs []error
	for pattern, serve := range map[string]http.HandlerFunc{
		"GET /v1/status/observations":                      i.serveObservations,
		"GET /v1/status/observations/{kind}/{id}":          i.serveObservation,
		"PUT /v1/status/observations/{kind}/{id}/provider": i.serveHandOver,
		"GET /v1/status/held":                              i.serveHeld,
		"DELETE /v1/status/held/{kind}/{id}":               i.serveDropHeld,
		"GET /v1/status/orphans":                           i.serveOrphans,
		"GET /v1/status/quarantine":                        i.serveQuarantine,
		"GET /v1/status/quarantine/{id}":                   i.serveQuarantined,
		"POST /v1/status/quarantine/{id}/replay":           i.serveReplay,
		"DELETE /v1/status/quarantine/{id}":                i.serveDiscard,
		"GET /v1/status/providers":                         i.serveProviders,
		"GET /v1/status/schemas/{type}":                    i.serveSchema,
	} {
		errs = append(errs, i.runtime.Handle(pattern, serve))
	}
	return errors.Join(errs...)
}

// params reads the query, and its limit.
func params(r *http.Request, allowed ...string) (v url.Values, limit int, err error) {
	if v, err = plugins.Params(r, allowed...); err != nil || v.Get("limit") == "" {
		return v, 0, err
	}
	if limit, err = strconv.Atoi(v.Get("limit")); err != nil || limit == 0 {
		return v, 0, &resources.InvalidError{Field: "limit", Reason: fmt.Sprintf("%q is no number from 1 to 1,000", v.Get("limit"))}
	}
	return v, limit, nil
}

// answer writes v, or what went wrong.
func answer(w http.ResponseWriter, v any, err error) {
	var rejected *RejectError
	var invalid *resources.InvalidError
	switch {
	case err == nil && v == nil:
		w.WriteHeader(http.StatusNoContent)
	case err == nil:
		plugins.Respond(w, http.StatusOK, v)
	case errors.Is(err, resources.ErrNotFound):
		plugins.RespondError(w, http.StatusNotFound, err)
	case errors.As(err, &rejected):
		plugins.Respond(w, http.StatusConflict, struct {
			Error  string `json:"error"`
			Reason Reason `json:"reason"`
		}{err.Error(), rejected.Reason})
	case errors.As(err, &invalid):
		plugins.RespondError(w, http.StatusBadRequest, err)
	default:
		plugins.RespondError(w, http.StatusInternalServerError, err)
	}
}

// serveObservations answers GET /v1/status/observations?kind&provider&differs&after&limit.
func (i *Ingest) serveObservations(w http.ResponseWriter, r *http.Request) {
	v, limit, err := params(r, "kind", "provider", "differs", "after", "limit")
	differs := false
	if err == nil && v.Get("differs") != "" {
		differs, err = strconv.ParseBool(v.Get("differs"))
	}
	if err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	page, next, err := i.List(r.Context(), SeenQuery{Kind: v.Get("kind"), Provider: v.Get("provider"), Differs: differs, After: v.Get("after"), Limit: limit})
	answer(w, struct {
		Observations []Seen `json:"observations"`
		Next         string `json:"next,omitempty"` // after of the next page
	}{page, next}, err)
}

// serveObservation answers GET /v1/status/observations/{kind}/{id}.
func (i *Ingest) serveObservation(w http.ResponseWriter, r *http.Request) {
	seen, err := i.Observed(r.Context(), r.PathValue("kind"), r.PathValue("id"))
	answer(w, seen, err)
}

// serveHandOver answers PUT /v1/status/observations/{kind}/{id}/provider with {"provider":"west"}; "" releases the resource.
func (i *Ingest) serveHandOver(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Provider *string `json:"provider"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(&body)
	if err == nil && body.Provider == nil {
		err = errors.New("provider is missing")
	}
	if err != nil {
		plugins.RespondError(w, http.StatusBadRequest, fmt.Errorf(`status: the body must be {"provider":"…"}: %w`, err))
		return
	}
	answer(w, nil, i.HandOver(r.Context(), r.PathValue("kind"), r.PathValue("id"), *body.Provider))
}

// serveHeld answers GET /v1/status/held?kind&provider&after&limit.
func (i *Ingest) serveHeld(w http.ResponseWriter, r *http.Request) { i.serveHeldOr(w, r, false) }

// serveOrphans answers GET /v1/status/orphans?kind&provider&after&limit.
func (i *Ingest) serveOrphans(w http.ResponseWriter, r *http.Request) { i.serveHeldOr(w, r, true) }

func (i *Ingest) serveHeldOr(w http.ResponseWriter, r *http.Request, orphans bool) {
	v, limit, err := params(r, "kind", "provider", "after", "limit")
	if err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	page, next, err := i.Held(r.Context(), HeldQuery{Kind: v.Get("kind"), Provider: v.Get("provider"), Orphans: orphans, After: v.Get("after"), Limit: limit})
	answer(w, struct {
		Held []Held `json:"held"`
		Next string `json:"next,omitempty"` // after of the next page
	}{page, next}, err)
}

// serveDropHeld answers DELETE /v1/status/held/{kind}/{id}.
func (i *Ingest) serveDropHeld(w http.ResponseWriter, r *http.Request) {
	answer(w, nil, i.DropHeld(r.Context(), r.PathValue("kind"), r.PathValue("id")))
}

// serveQuarantine answers GET /v1/status/quarantine?reason&provider&after&limit.
func (i *Ingest) serveQuarantine(w http.ResponseWriter, r *http.Request) {
	v, limit, err := params(r, "reason", "provider", "after", "limit")
	if err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	page, next, err := i.Quarantine(r.Context(), QuarantineQuery{Reason: Reason(v.Get("reason")), Provider: v.Get("provider"), After: v.Get("after"), Limit: limit})
	answer(w, struct {
		Messages []Quarantined `json:"messages"`
		Next     string        `json:"next,omitempty"` // after of the next page
	}{page, next}, err)
}

// serveQuarantined answers GET /v1/status/quarantine/{id}, with the message's data in base64.
func (i *Ingest) serveQuarantined(w http.ResponseWriter, r *http.Request) {
	q, err := i.FindQuarantined(r.Context(), r.PathValue("id"))
	answer(w, q, err)
}

// serveReplay answers POST /v1/status/quarantine/{id}/replay: 204, or 409 with the reason why it is rejected again.
func (i *Ingest) serveReplay(w http.ResponseWriter, r *http.Request) {
	answer(w, nil, i.Replay(r.Context(), r.PathValue("id")))
}

// serveDiscard answers DELETE /v1/status/quarantine/{id}.
func (i *Ingest) serveDiscard(w http.ResponseWriter, r *http.Request) {
	answer(w, nil, i.Discard(r.Context(), r.PathValue("id")))
}

// serveProviders answers GET /v1/status/providers.
func (i *Ingest) serveProviders(w http.ResponseWriter, r *http.Request) {
	all, err := i.Providers(r.Context())
	answer(w, struct {
		Providers []Provider  `json:"providers"`
		Counts    IngestStats `json:"counts"` // of this server, since its start
	}{all, i.Stats()}, err)
}

// serveSchema answers GET /v1/status/schemas/{type}: the JSON Schema of an observation's data.
func (i *Ingest) serveSchema(w http.ResponseWriter, r *http.Request) {
	t := i.intakes[r.PathValue("type")]
	if t == nil {
		answer(w, nil, fmt.Errorf("status: service type %.64q: %w", r.PathValue("type"), resources.ErrNotFound))
		return
	}
	schema, err := t.JSONSchema()
	answer(w, json.RawMessage(schema), err)
}
