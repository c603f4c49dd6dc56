package eventlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/cloudbus-go/cloudbus/plugins"
)

func (p *Plugin) handle() error {
	var errs []error
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /v1/eventlog":                         p.serveList,
		"GET /v1/eventlog/export":                  p.serveExport,
		"GET /v1/eventlog/chains":                  p.serveChain,
		"GET /v1/eventlog/chains/{correlation...}": p.serveChain,
		"POST /v1/eventlog/archive":                p.serveChange(p.Archive),
		"POST /v1/eventlog/unarchive":              p.serveChange(p.Unarchive),
	} {
		errs = append(errs, p.runtime.Handle(pattern, handler))
	}
	return errors.Join(errs...)
}

func (p *Plugin) serveList(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r, "after", "before", "limit")
	if err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	page, err := p.List(r.Context(), q)
	p.respond(w, page, err)
}

// serveExport streams; an error after the first byte breaks the answer off.
func (p *Plugin) serveExport(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r, "after")
	if err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	out := &download{w: w}
	if _, err = p.Export(r.Context(), out, q); err == nil {
		out.begin()
		return
	}
	if !out.begun {
		p.respond(w, nil, err)
		return
	}
	p.runtime.Logger().Warn("an export was broken off", "error", err)
	panic(http.ErrAbortHandler)
}

func (p *Plugin) serveChain(w http.ResponseWriter, r *http.Request) {
	values, err := plugins.Params(r, "event", "correlation", "after", "limit")
	if err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	q := ChainQuery{CorrelationID: values.Get("correlation"), Event: values.Get("event"), After: values.Get("after")}
	if inPath := r.PathValue("correlation"); inPath != "" {
		if q.CorrelationID != "" {
			plugins.RespondError(w, http.StatusBadRequest, &QueryError{Field: "correlation", Value: q.CorrelationID, Reason: "is given twice"})
			return
		}
		q.CorrelationID = inPath
	}
	if q.Limit, err = parseLimit(values, maxChainLimit); err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	chain, err := p.Chain(r.Context(), q)
	p.respond(w, chain, err)
}

const (
	maxBody    = 1 << 20
	maxRequest = 50_000 // events that one request archives
)

// serveChange answers for Archive and Unarchive, whose body is a Selection.
func (p *Plugin) serveChange(change func(context.Context, Selection) (Changed, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, err := plugins.Params(r); err != nil {
			plugins.RespondError(w, http.StatusBadRequest, err)
			return
		}
		s, err := parseSelection(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			plugins.RespondError(w, http.StatusBadRequest, err)
			return
		}
		done, err := change(r.Context(), s)
		p.respond(w, done, err)
	}
}

func parseSelection(body io.Reader) (s Selection, err error) {
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("the body can't be read: %w (allowed: {\"ids\": [\"…\"]} or {\"filter\": {kind, resource, tenant, actor, type, levels, since, until, first_seq, last_seq, correlation, text}}, and limit)", err)
	}
	if d.Decode(new(json.RawMessage)) != io.EOF {
		return s, errors.New("the body has something behind the object")
	}
	if s.Limit > maxRequest {
		return s, &QueryError{Field: "limit", Value: strconv.Itoa(s.Limit), Reason: fmt.Sprintf("is not in 1 to %d", maxRequest)}
	}
	if s.Limit == 0 {
		s.Limit = maxRequest
	}
	return s, nil
}

func (p *Plugin) respond(w http.ResponseWriter, answer any, err error) {
	_, bad := errors.AsType[*QueryError](err)
	switch {
	case err == nil:
		plugins.Respond(w, http.StatusOK, answer)
	case bad:
		plugins.RespondError(w, http.StatusBadRequest, err)
	case errors.Is(err, ErrNotFound):
		plugins.RespondError(w, http.StatusNotFound, err)
	default:
		p.runtime.Logger().Error("the event log can't answer", "error", err)
		plugins.RespondError(w, http.StatusServiceUnavailable, errors.New("eventlog: it can't be read or written now"))
	}
}

// download sends what is written to a client at once.
type download struct {
	w     http.ResponseWriter
	begun bool
}

func (s *download) begin() {
	if !s.begun {
		s.begun = true
		s.w.Header().Set("Content-Type", "application/x-ndjson")
		s.w.Header().Set("X-Content-Type-Options", "nosniff")
	}
}

func (s *download) Write(data []byte) (int, error) {
	s.begin()
	n, err := s.w.Write(data)
	_ = http.NewResponseController(s.w).Flush() // what can't be flushed isn't
	return n, err
}
