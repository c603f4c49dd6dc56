package alerts

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// serve answers GET /v1/alerts?active&name&kind&resource&tenant&before&limit.
func (p *Plugin) serve(w http.ResponseWriter, r *http.Request) {
	q, err := parse(r)
	if err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	found, next, err := p.List(r.Context(), q)
	switch _, bad := errors.AsType[*QueryError](err); {
	case bad:
		plugins.RespondError(w, http.StatusBadRequest, err)
	case err != nil:
		p.runtime.Logger().Error("alerts can't be listed", "error", err)
		plugins.RespondError(w, http.StatusServiceUnavailable, errors.New("alerts: they can't be read now"))
	default:
		plugins.Respond(w, http.StatusOK, struct {
			Alerts []Alert `json:"alerts"`
			Next   string  `json:"next,omitempty"` // before of the next page
		}{found, next})
	}
}

func parse(r *http.Request) (q Query, err error) {
	values, err := plugins.Params(r, "active", "name", "kind", "resource", "tenant", "before", "limit")
	if err != nil {
		return q, err
	}
	q = Query{Name: values.Get("name"), Kind: values.Get("kind"), ResourceID: values.Get("resource"), Tenant: values.Get("tenant"), Before: values.Get("before")}
	if active := values.Get("active"); active != "" {
		if q.Active, err = strconv.ParseBool(active); err != nil {
			return q, &QueryError{Field: "active", Value: active, Reason: "is neither true nor false"}
		}
	}
	if limit := values.Get("limit"); limit != "" {
		if q.Limit, err = strconv.Atoi(limit); err != nil || q.Limit < 1 {
			return q, &QueryError{Field: "limit", Value: limit, Reason: "is not in 1 to 1000"}
		}
	}
	if _, err := bus.ParseID(q.Before); err != nil {
		return q, &QueryError{Field: "before", Value: q.Before, Reason: "is no alert's id"}
	}
	return q, nil
}
