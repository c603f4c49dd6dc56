package main

import (
	"context"
	"math"
	"net/http"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// discardRequest is the body of a discard: numbers of events, or a resource.
type discardRequest struct {
	resourceRequest
	Seqs []uint64 `json:"seqs"`
}

// maxDiscard is how many events a request may number.
const maxDiscard = 1000

// discardParked removes parked events for good. It takes what is to go by name: nothing is discarded because a field was forgotten.
func (a *api) discardParked(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(r)
	if err != nil {
		return err
	}
	var asked discardRequest
	if err := decodeObject(body, &asked, []string{"seqs", "kind", "id"}); err != nil {
		return err
	}
	one, err := asked.check()
	if err != nil {
		return err
	}
	name := r.PathValue("name")
	all, err := a.parkedResources(r.Context(), name)
	if err != nil {
		return err
	}
	var n int
	if one {
		if err := mustBeParked(all, name, asked.resourceRequest); err != nil {
			return err
		}
		n, err = a.discardResource(r.Context(), name, asked.resourceRequest)
	} else {
		n, err = a.bus.Discard(r.Context(), name, asked.Seqs...)
	}
	if err != nil {
		return err
	}
	plugins.Respond(w, http.StatusOK, map[string]int{"discarded": n})
	return nil
}

// check reports whether it is about one resource.
func (q discardRequest) check() (one bool, err error) {
	one, err = q.named()
	switch {
	case err != nil:
		return false, err
	case one == (len(q.Seqs) > 0):
		return false, badRequest([]string{"seqs", "kind and id"}, "which events are to be discarded?")
	case len(q.Seqs) > maxDiscard:
		return false, badRequest(nil, "field \"seqs\": at most %d numbers", maxDiscard)
	}
	for _, seq := range q.Seqs {
		if seq == 0 || seq > math.MaxInt64 {
			return false, badRequest(nil, "field \"seqs\": %d is no event's number", seq)
		}
	}
	return one, nil
}

// discardResource discards a resource's parked events, the oldest first, until there are none: then its next ones are handled again.
func (a *api) discardResource(ctx context.Context, name string, of resourceRequest) (n int, err error) {
	for {
		page, err := a.bus.Parked(ctx, bus.ParkedQuery{Subscription: name, Kind: of.Kind, ResourceID: of.ID, Limit: maxDiscard})
		if err != nil || len(page) == 0 {
			return n, err
		}
		seqs := make([]uint64, len(page))
		for i, e := range page {
			seqs[i] = e.Seq
		}
		some, err := a.bus.Discard(ctx, name, seqs...)
		if n += some; err != nil {
			return n, err
		}
	}
}
