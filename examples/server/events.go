package main

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// eventView is an event as the API shows it. The names of CloudEvents are used where it has one.
type eventView struct {
	Seq           uint64          `json:"seq,omitempty"`
	ID            bus.ID          `json:"id"`
	Type          string          `json:"type"`
	Schema        int             `json:"schema,omitempty"`
	Source        string          `json:"source"`
	Subject       string          `json:"subject,omitempty"`
	Time          time.Time       `json:"time"`
	RecordedAt    time.Time       `json:"recorded_at,omitzero"`
	Tenant        string          `json:"tenant,omitempty"`
	Actor         string          `json:"actor,omitempty"`
	Version       uint64          `json:"version,omitempty"`
	CorrelationID string          `json:"correlation_id,omitempty"`
	CausationID   string          `json:"causation_id,omitempty"`
	TraceParent   string          `json:"trace_parent,omitempty"`
	Data          json.RawMessage `json:"data"`
}

func viewOf(h bus.Header, data []byte) eventView {
	return eventView{
		Seq: h.Seq, ID: h.ID, Type: h.Type, Schema: h.Schema, Source: h.Source, Subject: h.Subject(), Time: h.Time,
		Tenant: h.Tenant, Actor: h.Actor, Version: h.Version,
		CorrelationID: h.CorrelationID, CausationID: h.CausationID, TraceParent: h.TraceParent, Data: data,
	}
}

// eventPage is a page of the journal; Next is the "after" of the next one, or its "before" if the newest come first.
type eventPage struct {
	Events []eventView `json:"events"`
	Next   uint64      `json:"next,omitempty"`
}

// events lists what is in the journal, or streams what comes.
func (a *api) events(w http.ResponseWriter, r *http.Request) error {
	p := readParams(r.URL, "type", "kind", "id", "tenant", "actor", "correlation", "since", "until", "after", "before", "order", "limit", "stream")
	accepted := strings.Contains(r.Header.Get("Accept"), "text/event-stream")
	if p.flag("stream") || accepted && !p.has("stream") {
		return a.stream(w, r, p)
	}
	q := journal.Query{
		Type:          p.text("type"),
		Kind:          p.text("kind"),
		ResourceID:    p.text("id"),
		Tenant:        p.text("tenant"),
		Actor:         p.text("actor"),
		CorrelationID: p.text("correlation"),
		Since:         p.time("since"),
		Until:         p.time("until"),
		After:         p.number("after"),
		Before:        p.number("before"),
		Newest:        p.choice("order", "oldest", "newest") == "newest",
		Limit:         cmp.Or(p.limit(), defaultPage),
	}
	a.checkAddress(&p)
	if p.err != nil {
		return p.err
	}
	records, err := a.journal.Query(r.Context(), q)
	if err != nil {
		return err
	}
	page := eventPage{Events: make([]eventView, len(records))}
	for i, rec := range records {
		page.Events[i] = viewOf(rec.Header, rec.Data)
		page.Events[i].RecordedAt = rec.RecordedAt
	}
	if len(records) > 0 && len(records) == q.Limit {
		page.Next = records[len(records)-1].Seq
	}
	plugins.Respond(w, http.StatusOK, page)
	return nil
}

// checkAddress refuses a resource that no event can be about: a kind that isn't there, or an id of no kind.
func (a *api) checkAddress(p *params) {
	if kind := p.text("kind"); kind != "" {
		if _, err := a.engine.Kind(kind); err != nil {
			p.refuse(a.engine.Kinds(), "parameter \"kind\": unknown kind %q", kind)
		}
	} else if p.has("id") {
		p.refuse(a.engine.Kinds(), "parameter \"id\" needs \"kind\"")
	}
}
