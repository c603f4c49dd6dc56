package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
)

// defaultActor is who did it if a request doesn't say.
const defaultActor = "api"

func (a *api) listKinds(w http.ResponseWriter, r *http.Request) error {
	if p := readParams(r.URL); p.err != nil {
		return p.err
	}
	plugins.Respond(w, http.StatusOK, map[string][]string{"kinds": a.engine.Kinds()})
	return nil
}

// resourcePage is a page of a list; Next is the "after" of the next one.
type resourcePage struct {
	Items []any  `json:"items"`
	Next  string `json:"next,omitempty"`
}

func (a *api) listResources(w http.ResponseWriter, r *http.Request) error {
	handle, err := a.engine.Kind(r.PathValue("kind"))
	if err != nil {
		return err
	}
	q, err := listQuery(r, handle)
	if err != nil {
		return err
	}
	items, next, err := handle.List(r.Context(), q)
	if err != nil {
		return err
	}
	if items == nil {
		items = []any{}
	}
	plugins.Respond(w, http.StatusOK, resourcePage{items, next})
	return nil
}

// listQuery makes a query of the parameters: state, tenant, after, limit, and the kind's own fields by their JSON names.
func listQuery(r *http.Request, handle *resources.Handle) (resources.Query, error) {
	known := []string{"after", "limit"}
	for _, f := range handle.Info().Fields {
		known = append(known, f.Name)
	}
	p := readParams(r.URL, known...)
	q := resources.Query{After: p.text("after"), Limit: p.limit(), Where: make(map[string]any)}
	for name := range p.values {
		switch name {
		case "after", "limit":
		case "state":
			for _, s := range p.texts(name) {
				q.States = append(q.States, fsm.State(s))
			}
		default:
			q.Where[name] = p.text(name)
		}
	}
	return q, p.err
}

func (a *api) createResource(w http.ResponseWriter, r *http.Request) error {
	handle, err := a.engine.Kind(r.PathValue("kind"))
	if err != nil {
		return err
	}
	body, err := readBody(r)
	if err != nil {
		return err
	}
	obj := handle.New()
	if err := decodeObject(body, obj, creatable(handle.Info().Type)); err != nil {
		return err
	}
	created, err := handle.Create(r.Context(), obj, resources.Actor(actorOf(r)))
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/resources/"+handle.Name()+"/"+url.PathEscape(resources.ObjectOf(created).ID))
	return writeResource(w, http.StatusCreated, handle, created, nil)
}

func (a *api) getResource(w http.ResponseWriter, r *http.Request) error {
	handle, err := a.engine.Kind(r.PathValue("kind"))
	if err != nil {
		return err
	}
	if p := readParams(r.URL); p.err != nil {
		return p.err
	}
	obj, err := handle.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	seen, err := a.observedOf(r.Context(), handle.Name(), resources.ObjectOf(obj).ID)
	if err != nil {
		return err
	}
	return writeResource(w, http.StatusOK, handle, obj, seen)
}

// writeResource writes a resource and, behind its own fields, the triggers that it takes in this very state, and what a provider observes of it, if one does.
func writeResource(w http.ResponseWriter, status int, handle *resources.Handle, obj any, seen *observed) error {
	o := resources.ObjectOf(obj)
	triggers, err := handle.Machine().Allowed(o.State, o.Origin, obj)
	if err != nil {
		return err
	}
	body, err := json.Marshal(obj)
	if err != nil {
		return err
	}
	beside := struct {
		Allowed  []string  `json:"allowed"`
		Observed *observed `json:"observed,omitempty"`
	}{texts(triggers), seen}
	more, err := json.Marshal(beside)
	if err != nil {
		return err
	}
	body = append(append(body[:len(body)-1], ','), more[1:]...)
	plugins.Respond(w, status, json.RawMessage(body))
	return nil
}

func (a *api) updateResource(w http.ResponseWriter, r *http.Request) error {
	handle, err := a.engine.Kind(r.PathValue("kind"))
	if err != nil {
		return err
	}
	body, err := readBody(r)
	if err != nil {
		return err
	}
	set := func(obj any) error { return decodeObject(body, obj, settable(handle.Info().Type)) }
	if err := set(handle.New()); err != nil { // what is wrong with it is wrong whatever the resource is like
		return err
	}
	change, err := handle.Update(r.Context(), r.PathValue("id"), set, resources.Actor(actorOf(r)))
	if err != nil {
		return err
	}
	plugins.Respond(w, http.StatusOK, change)
	return nil
}

// fireRequest is the body of a fire.
type fireRequest struct {
	Trigger   fsm.Trigger     `json:"trigger"`
	Actor     string          `json:"actor"`     // Defaults to the header X-Actor, or "api".
	Reason    string          `json:"reason"`    // Defaults to none.
	Operation bus.ID          `json:"operation"` // Whose outcome this is. Defaults to any.
	At        time.Time       `json:"at"`        // When it happened. Defaults to now.
	Set       json.RawMessage `json:"set"`       // Fields to change with the move. Defaults to none.
}

func (a *api) fireTrigger(w http.ResponseWriter, r *http.Request) error {
	handle, err := a.engine.Kind(r.PathValue("kind"))
	if err != nil {
		return err
	}
	body, err := readBody(r)
	if err != nil {
		return err
	}
	req := fireRequest{Actor: actorOf(r)}
	if err := decodeObject(body, &req, jsonFields(reflect.TypeFor[fireRequest]())); err != nil {
		return err
	}
	if req.Trigger == "" {
		return badRequest(texts(handle.Machine().Triggers()), "which trigger?")
	}
	options, err := req.options(handle)
	if err != nil {
		return err
	}
	change, err := handle.Fire(r.Context(), r.PathValue("id"), req.Trigger, options...)
	if err != nil {
		return err
	}
	plugins.Respond(w, http.StatusOK, change)
	return nil
}

func (q fireRequest) options(handle *resources.Handle) ([]resources.Option, error) {
	options := []resources.Option{resources.Actor(q.Actor)}
	if q.Reason != "" {
		options = append(options, resources.Reason(q.Reason))
	}
	if !q.Operation.IsZero() {
		options = append(options, resources.Operation(q.Operation))
	}
	if !q.At.IsZero() {
		options = append(options, resources.At(q.At))
	}
	if q.Set != nil {
		set := func(obj any) error { return decodeObject(q.Set, obj, settable(handle.Info().Type)) }
		if err := set(handle.New()); err != nil {
			return nil, err
		}
		options = append(options, resources.Set(set))
	}
	return options, nil
}

func actorOf(r *http.Request) string {
	if actor := r.Header.Get("X-Actor"); actor != "" {
		return actor
	}
	return defaultActor
}
