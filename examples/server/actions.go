package main

import (
	"net/http"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
)

// acting makes a request that changes a resource an action, if the header X-Action names one: it is recorded from its beginning to its end,
// refusals too. What it changes is caused by it.
func (a *api) acting(h func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) (err error) {
		verb := r.Header.Get("X-Action")
		if verb == "" {
			return h(w, r)
		}
		kind, err := a.engine.Kind(r.PathValue("kind"))
		if err != nil {
			return err
		}
		var about []resources.Option
		if id := r.PathValue("id"); id != "" {
			about = append(about, resources.Target(id))
		}
		ctx, done, err := a.engine.Action(r.Context(), actorOf(r), kind.Name(), verb, about...)
		if err != nil {
			return err
		}
		answered := false
		defer func() {
			if answered { // an end that couldn't be recorded comes too late for the answer: the engine has logged it, and tries again
				err = nil
			}
		}()
		defer done.Defer(&err)
		err = h(w, r.WithContext(ctx))
		answered = err == nil
		return err
	}
}

// actionPage is a page of open actions; Next is the "after" of the next one.
type actionPage struct {
	Actions []resources.OpenAction `json:"actions"`
	Next    bus.ID                 `json:"next,omitzero"`
}

func (a *api) listActions(w http.ResponseWriter, r *http.Request) error {
	p := readParams(r.URL, "kind", "verb", "id", "tenant", "actor", "after", "limit")
	q := resources.ActionQuery{
		Kind: p.text("kind"), Verb: p.text("verb"), ResourceID: p.text("id"), Tenant: p.text("tenant"), Actor: p.text("actor"), Limit: p.limit(),
	}
	after := p.text("after")
	var err error
	if q.After, err = bus.ParseID(after); err != nil {
		p.refuse(nil, "parameter \"after\": %q is no id of an action", after)
	}
	if p.err != nil {
		return p.err
	}
	page := actionPage{Actions: []resources.OpenAction{}}
	open, next, err := a.engine.Actions(r.Context(), q)
	if err != nil {
		return err
	}
	page.Actions, page.Next = append(page.Actions, open...), next
	plugins.Respond(w, http.StatusOK, page)
	return nil
}
