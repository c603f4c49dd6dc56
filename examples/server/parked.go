package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// parkedPage is a page of what a durable subscription has set aside, by resource; Next is the "after" of the next one.
type parkedPage struct {
	Resources []parkedView `json:"resources"`
	Next      uint64       `json:"next,omitempty"`
}

// parkedView is a resource whose events are set aside, with its oldest one; an event that is about no resource stands for itself.
type parkedView struct {
	Kind     string    `json:"kind,omitempty"`
	ID       string    `json:"id,omitempty"`
	Events   int       `json:"events"`
	First    uint64    `json:"first"` // its number in the journal
	Type     string    `json:"type"`
	Error    string    `json:"error"` // of its last try
	Tries    int       `json:"tries"`
	ParkedAt time.Time `json:"parked_at"` // or tried last
}

// listParked shows the resources whose events a subscription has set aside, in order of their oldest one.
func (a *api) listParked(w http.ResponseWriter, r *http.Request) error {
	p := readParams(r.URL, "after", "limit")
	after, limit := p.number("after"), cmp.Or(p.limit(), defaultPage)
	if p.err != nil {
		return p.err
	}
	all, err := a.parkedResources(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	page := parkedPage{Resources: []parkedView{}}
	for _, one := range all {
		if one.First <= after {
			continue
		}
		if len(page.Resources) == limit {
			page.Next = page.Resources[limit-1].First
			break
		}
		page.Resources = append(page.Resources, parkedView{
			Kind: one.Kind, ID: one.ResourceID, Events: one.Events, First: one.First, Type: one.Type, Error: one.Reason, Tries: one.Tries, ParkedAt: one.At,
		})
	}
	plugins.Respond(w, http.StatusOK, page)
	return nil
}

// parkedEventPage is a page of events that are set aside; Next is the "after" of the next one.
type parkedEventPage struct {
	Events []parkedEventView `json:"events"`
	Next   uint64            `json:"next,omitempty"`
}

type parkedEventView struct {
	eventView
	Error    string    `json:"error"` // of its last try, or that it waits
	Tries    int       `json:"tries"` // 0: it waits behind an earlier one of its resource
	ParkedAt time.Time `json:"parked_at"`
}

// listParkedEvents shows the events that a subscription has set aside, all or those of a resource.
func (a *api) listParkedEvents(w http.ResponseWriter, r *http.Request) error {
	p := readParams(r.URL, "kind", "id", "after", "limit")
	q := bus.ParkedQuery{
		Subscription: r.PathValue("name"), Kind: p.text("kind"), ResourceID: p.text("id"), After: p.number("after"), Limit: cmp.Or(p.limit(), defaultPage),
	}
	if p.has("kind") != p.has("id") {
		p.refuse([]string{"kind", "id"}, "a resource is a kind and an id")
	}
	if p.err != nil {
		return p.err
	}
	if _, err := a.parkedResources(r.Context(), q.Subscription); err != nil {
		return err
	}
	parked, err := a.bus.Parked(r.Context(), q)
	if err != nil {
		return err
	}
	page := parkedEventPage{Events: make([]parkedEventView, len(parked))}
	for i, e := range parked {
		page.Events[i] = parkedEventView{viewOf(e.Header, e.Data), e.Reason, e.Tries, e.At}
		page.Events[i].RecordedAt = e.RecordedAt
	}
	if len(parked) == q.Limit {
		page.Next = parked[len(parked)-1].Seq
	}
	plugins.Respond(w, http.StatusOK, page)
	return nil
}

// parkedResources are those of a durable subscription: one that runs here, or has left something in the journal.
func (a *api) parkedResources(ctx context.Context, name string) ([]bus.ParkedResource, error) {
	all, err := a.bus.ParkedResources(ctx, name)
	if err != nil || len(all) > 0 {
		return all, err
	}
	var known []string
	for _, s := range a.bus.Inspect().Subscriptions {
		if s.Kind == "durable" || s.Kind == "batch" {
			known = append(known, s.Name)
		}
	}
	cursors, err := a.journal.Cursors(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range cursors {
		known = append(known, c.Name)
	}
	slices.Sort(known)
	if known = slices.Compact(known); !slices.Contains(known, name) {
		return nil, &requestError{http.StatusNotFound, fmt.Sprintf("no durable subscription is called %q", name), known}
	}
	return nil, nil
}

// resourceRequest names a resource in the body of a request.
type resourceRequest struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
}

// named reports whether a resource is named; half a name is an error.
func (q resourceRequest) named() (bool, error) {
	if (q.Kind == "") != (q.ID == "") {
		return false, badRequest([]string{"kind", "id"}, "a resource is a kind and an id")
	}
	return q.Kind != "", nil
}

// replayView says what came of a replay.
type replayView struct {
	Done  int    `json:"done"`            // events that were handled
	Left  int    `json:"left"`            // events of the same resources that are still set aside
	Error string `json:"error,omitempty"` // of the first that failed again
}

// replayParked hands parked events to their handler again: those of one resource, or all. Who leaves meanwhile doesn't stop what was begun.
func (a *api) replayParked(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(r)
	if err != nil {
		return err
	}
	var asked resourceRequest
	if err := decodeObject(body, &asked, []string{"kind", "id"}); err != nil {
		return err
	}
	one, err := asked.named()
	if err != nil {
		return err
	}
	name := r.PathValue("name")
	all, err := a.parkedResources(r.Context(), name)
	if err != nil {
		return err
	}
	if one {
		if err := mustBeParked(all, name, asked); err != nil {
			return err
		}
	}
	got, err := a.bus.Replay(r.Context(), name, asked.Kind, asked.ID)
	if err != nil {
		return err
	}
	plugins.Respond(w, http.StatusOK, replayView{got.Done, got.Left, textOf(got.Err)})
	return nil
}

// mustBeParked refuses a resource of which nothing is parked.
func mustBeParked(all []bus.ParkedResource, name string, q resourceRequest) error {
	if slices.ContainsFunc(all, func(r bus.ParkedResource) bool { return r.Kind == q.Kind && r.ResourceID == q.ID }) {
		return nil
	}
	return &requestError{http.StatusNotFound, fmt.Sprintf("subscription %q has nothing parked of %s/%s", name, q.Kind, q.ID), nil}
}
