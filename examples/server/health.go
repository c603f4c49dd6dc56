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
	// Lag is how many events of the journal each durable subscription hasn't passed yet.
	Lag map[string]uint64 `json:"lag"`
}

type pluginView struct {
	Name    string `json:"name"`
	Running bool   `json:"running"`
	Problem string `json:"problem,omitempty"`
}

// ready says whether requests can be served: the journal's writer answers. (Whether there is room on the disk shows when something
// is written.) A plugin that is unwell, such as a bridge whose broker is away, is shown; it makes the server unready only if it is
// required and doesn't run.
func (a *api) ready(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readyPatience)
	defer cancel()
	state := readiness{Ready: true, Journal: "ok", Lag: make(map[string]uint64)}
	if err := a.journal.Do(ctx, func(*journal.Tx) error { return nil }); err != nil {
		state.Ready, state.Journal = false, err.Error()
	}
	for _, s := range a.plugins.Status(ctx) {
		state.Plugins = append(state.Plugins, pluginView{s.Name, s.Running, textOf(s.Err)})
		state.Ready = state.Ready && (s.Running || !s.Required)
	}
	for _, s := range a.bus.Inspect().Subscriptions {
		if s.Kind == "durable" || s.Kind == "batch" {
			state.Lag[s.Name] = s.Lag
		}
	}
	status := http.StatusOK
	if !state.Ready {
		status = http.StatusServiceUnavailable
	}
	plugins.Respond(w, status, state)
	return nil
}
