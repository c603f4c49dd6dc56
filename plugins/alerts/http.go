package alerts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/cloudbus-go/cloudbus/plugins"
)

// maxBody is how long a request's body may be, in bytes.
const maxBody = 16 << 10

// serveList answers GET /v1/alerts?active&acknowledged&name&kind&resource&tenant&severity&group&before&limit.
func (p *Plugin) serveList(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r)
	if err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	found, next, err := p.List(r.Context(), q)
	p.respond(w, err, struct {
		Alerts []Alert `json:"alerts"`
		Next   string  `json:"next,omitempty"` // before of the next page
	}{found, next})
}

// serveOne answers GET /v1/alerts/{id}.
func (p *Plugin) serveOne(w http.ResponseWriter, r *http.Request) {
	if _, err := plugins.Params(r); err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	a, told, err := p.Find(r.Context(), r.PathValue("id"))
	p.respond(w, err, struct {
		Alert
		Notices []Told `json:"notices"`
	}{a, told})
}

// serveAcknowledge answers POST /v1/alerts/{id}/acknowledge with {"by":"user:42","note":"…"}.
func (p *Plugin) serveAcknowledge(w http.ResponseWriter, r *http.Request) {
	var body struct {
		By   string `json:"by"`
		Note string `json:"note"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(&body)
	if err == nil && d.Decode(new(json.RawMessage)) != io.EOF {
		err = errors.New("there is more than one value")
	}
	if err != nil {
		plugins.RespondError(w, http.StatusBadRequest, fmt.Errorf(`alerts: the body isn't {"by":"user:42","note":"…"}: %w`, err))
		return
	}
	a, err := p.Acknowledge(r.Context(), r.PathValue("id"), body.By, body.Note)
	p.respond(w, err, a)
}

// serveRules answers GET /v1/alerts/rules.
func (p *Plugin) serveRules(w http.ResponseWriter, r *http.Request) {
	if _, err := plugins.Params(r); err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	rules, err := p.Rules(r.Context())
	p.respond(w, err, struct {
		Rules []RuleState `json:"rules"`
	}{rules})
}

// respond answers with v, or with what is wrong.
func (p *Plugin) respond(w http.ResponseWriter, err error, v any) {
	_, bad := errors.AsType[*QueryError](err)
	switch {
	case err == nil:
		plugins.Respond(w, http.StatusOK, v)
	case bad:
		plugins.RespondError(w, http.StatusBadRequest, err)
	case errors.Is(err, ErrNotFound):
		plugins.RespondError(w, http.StatusNotFound, err)
	case errors.Is(err, ErrCleared):
		plugins.RespondError(w, http.StatusConflict, err)
	default:
		p.runtime.Logger().Error("a request for alerts failed", "error", err)
		plugins.RespondError(w, http.StatusServiceUnavailable, errors.New("alerts: they can't be read or written now"))
	}
}

func parseQuery(r *http.Request) (q Query, err error) {
	values, err := plugins.Params(r, "active", "acknowledged", "name", "kind", "resource", "tenant", "severity", "group", "before", "limit")
	if err != nil {
		return q, err
	}
	q = Query{
		Name: values.Get("name"), Kind: values.Get("kind"), ResourceID: values.Get("resource"), Tenant: values.Get("tenant"),
		Severity: values.Get("severity"), Group: values.Get("group"), Before: values.Get("before"),
	}
	for field, set := range map[string]func(bool){"active": func(v bool) { q.Active = v }, "acknowledged": func(v bool) { q.Acknowledged = &v }} {
		given := values.Get(field)
		if given == "" {
			continue
		}
		v, err := strconv.ParseBool(given)
		if err != nil {
			return q, &QueryError{Field: field, Value: given, Reason: "is neither true nor false"}
		}
		set(v)
	}
	if limit := values.Get("limit"); limit != "" {
		if q.Limit, err = strconv.Atoi(limit); err != nil || q.Limit < 1 {
			return q, &QueryError{Field: "limit", Value: limit, Reason: "is not in 1 to 1000"}
		}
	}
	return q, nil
}
