package main

import (
	"context"
	"net/http"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// readyPatience is how long the journal may take before the server counts as not ready.
const readyPatience = 2 * time.Second

// alive says that the process answers.
func (a *api) alive(w http.ResponseWriter, _ *http.Request) error {
	plugins.Respond(w, http.StatusOK, map[string]string{"status": "ok"})
	return nil
}

// readiness is the body of /readyz.
type readiness struct {
	Ready   bool         `json:"ready"`
	Journal string       `json:"journal"`
	Plugins []pluginView `json:"plugins"`
}

type pluginView struct {
	Name    string `json:"name"`
	Running bool   `json:"running"`
	Problem string `json:"problem,omitempty"`
}

// ready says whether requests can be served: the journal takes writes. A plugin that is unwell, a bridge whose broker is away
// among them, is shown, and makes the server unready only if it is required and doesn't run.
func (a *api) ready(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readyPatience)
	defer cancel()
	state := readiness{Ready: true, Journal: "ok"}
	if err := a.journal.Do(ctx, func(*journal.Tx) error { return nil }); err != nil {
		state.Ready, state.Journal = false, err.Error()
	}
	for _, s := range a.plugins.Status(ctx) {
		p := pluginView{Name: s.Name, Running: s.Running}
		if s.Err != nil {
			p.Problem = s.Err.Error()
		}
		state.Plugins = append(state.Plugins, p)
		state.Ready = state.Ready && (s.Running || !s.Required)
	}
	status := http.StatusOK
	if !state.Ready {
		status = http.StatusServiceUnavailable
	}
	plugins.Respond(w, status, state)
	return nil
}
