package schema

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
)

const (
	name  = "schemas"
	route = "/v1/schemas"
)

//go:embed consuming.md
var consuming []byte

// Options of the plugin. The zero value works.
type Options struct {
	Title string // Of the AsyncAPI document. Defaults to "Cloudbus events".
}

// Plugin serves the schemas. Make one with New.
type Plugin struct {
	plugins.Base
	schemas *Schemas
	options Options
}

// New returns the plugin "schemas". Add it after the plugins whose events it is to list as registered at start-up; what is registered later is found too.
func New(engine *resources.Engine, o Options) *Plugin {
	if o.Title == "" {
		o.Title = "Cloudbus events"
	}
	return &Plugin{schemas: Of(engine), options: o}
}

// Name returns "schemas".
func (*Plugin) Name() string { return name }

// Init adds the routes. Errors: *plugins.PatternError; no engine.
func (p *Plugin) Init(_ context.Context, rt *plugins.Runtime) error {
	if p.schemas.engine == nil {
		return errors.New("schema: New wants an engine that isn't nil")
	}
	return errors.Join(
		rt.Handle("GET "+route, http.HandlerFunc(p.list)),
		rt.Handle("GET "+route+"/{type}", http.HandlerFunc(p.one)),
		rt.Handle("GET /v1/asyncapi.json", http.HandlerFunc(p.asyncAPI)),
		rt.Handle("GET /v1/events/consuming", http.HandlerFunc(p.consuming)),
	)
}

func (p *Plugin) list(w http.ResponseWriter, r *http.Request) {
	if _, err := plugins.Params(r); err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	plugins.Respond(w, http.StatusOK, map[string]any{"schemas": p.schemas.List()})
}

func (p *Plugin) one(w http.ResponseWriter, r *http.Request) {
	params, err := plugins.Params(r, "schema")
	if err != nil {
		plugins.RespondError(w, http.StatusBadRequest, err)
		return
	}
	number := 0
	if text := params.Get("schema"); text != "" {
		if number, err = strconv.Atoi(text); err != nil || number < 1 {
			plugins.RespondError(w, http.StatusBadRequest, fmt.Errorf("schema %q: must be a number from 1", text))
			return
		}
	}
	schema, ok := p.schemas.Schema(r.PathValue("type"), number)
	if !ok {
		plugins.RespondError(w, http.StatusNotFound, fmt.Errorf("no events of the type %q and that schema are known; %s lists them", r.PathValue("type"), route))
		return
	}
	w.Header().Set("Content-Type", "application/schema+json")
	plugins.Respond(w, http.StatusOK, schema)
}

func (p *Plugin) asyncAPI(w http.ResponseWriter, _ *http.Request) {
	plugins.Respond(w, http.StatusOK, p.schemas.AsyncAPI(p.options.Title))
}

func (p *Plugin) consuming(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
	_, _ = w.Write(consuming)
}

var _ plugins.Plugin = (*Plugin)(nil)
