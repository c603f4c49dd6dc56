package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
)

// problem is the body of every error.
type problem struct {
	Error   string   `json:"error"`
	Allowed []string `json:"allowed,omitempty"` // what could have stood in the place of what was wrong
}

// requestError is what is wrong with a request as such.
type requestError struct {
	status  int
	reason  string
	allowed []string
}

func (e *requestError) Error() string {
	if len(e.allowed) == 0 {
		return e.reason
	}
	return fmt.Sprintf("%s (allowed: %s)", e.reason, strings.Join(e.allowed, ", "))
}

func badRequest(allowed []string, format string, v ...any) error {
	return &requestError{status: http.StatusBadRequest, reason: fmt.Sprintf(format, v...), allowed: allowed}
}

// fail answers with an error.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, allowed := statusOf(err)
	if r.Context().Err() != nil {
		return // nobody is there to read it
	}
	p := problem{Error: err.Error(), Allowed: allowed}
	switch status {
	case http.StatusInternalServerError:
		id := w.Header().Get("X-Request-ID")
		a.log.Error("http: request failed", "method", r.Method, "path", r.URL.Path, "request", id, "err", err)
		p.Error = "internal error, see the server's log for request " + id
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	}
	plugins.Respond(w, status, p)
}

// sentinels are the errors whose status follows from their identity.
var sentinels = []struct {
	err    error
	status int
}{
	{resources.ErrNotFound, http.StatusNotFound},
	{resources.ErrExists, http.StatusConflict},
	{resources.ErrConflict, http.StatusConflict},
	{resources.ErrStale, http.StatusConflict},
	{resources.ErrNoEffect, http.StatusConflict},
	{resources.ErrRemoved, http.StatusConflict},
	{fs.ErrExist, http.StatusConflict}, // a backup's file
	{journal.ErrFull, http.StatusInsufficientStorage},
	{journal.ErrBusy, http.StatusServiceUnavailable},
	{journal.ErrReadOnly, http.StatusServiceUnavailable},
	{journal.ErrClosed, http.StatusServiceUnavailable},
	{journal.ErrMemberTooLong, http.StatusServiceUnavailable},
	{journal.ErrTransactionLost, http.StatusServiceUnavailable},
	{journal.ErrOutcomeUnknown, http.StatusServiceUnavailable},
	{bus.ErrNotSubscribed, http.StatusConflict}, // it has parked events, but nobody who could handle them
	{bus.ErrLeaseLost, http.StatusConflict},     // it runs on another server
	{bus.ErrClosed, http.StatusServiceUnavailable},
	{context.DeadlineExceeded, http.StatusServiceUnavailable},
}

// statusOf maps an error to a status, and to what is allowed instead if the error knows.
func statusOf(err error) (status int, allowed []string) {
	var (
		request *requestError
		unknown *resources.UnknownError
		name    *fsm.UnknownError
		refused *fsm.TransitionError
		veto    *resources.VetoError
		related *resources.RelationError
		invalid *resources.InvalidError
		option  *bus.OptionError
		pattern *bus.PatternError
		query   *journal.QueryError
	)
	switch {
	case errors.As(err, &request):
		return request.status, request.allowed
	case errors.As(err, &unknown) && unknown.What == "kind":
		return http.StatusNotFound, unknown.Known
	case errors.As(err, &unknown):
		return http.StatusBadRequest, unknown.Known
	case errors.As(err, &name):
		return http.StatusBadRequest, name.Known
	case errors.As(err, &refused):
		return http.StatusConflict, texts(refused.Allowed)
	case errors.As(err, &veto):
		return http.StatusForbidden, nil
	case errors.As(err, &related) && related.State != "":
		return http.StatusConflict, nil
	case errors.As(err, &related), errors.As(err, &invalid), errors.As(err, &option), errors.As(err, &pattern), errors.As(err, &query):
		return http.StatusBadRequest, nil
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.status, nil
		}
	}
	return http.StatusInternalServerError, nil
}

// texts are names as plain strings.
func texts[S ~string](names []S) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	return out
}
