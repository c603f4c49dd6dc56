package main

import (
	"io"
	"net/http"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// drawMachine shows the lifecycle of a kind, as mermaid, dot, table or json, with a state marked if one is named.
func (a *api) drawMachine(w http.ResponseWriter, r *http.Request) error {
	handle, err := a.engine.Kind(r.PathValue("kind"))
	if err != nil {
		return err
	}
	m := handle.Machine()
	p := readParams(r.URL, "format", "state")
	format, current := p.choice("format", "mermaid", "dot", "table", "json"), fsm.State(p.text("state"))
	if p.has("state") && !m.Has(current) {
		p.refuse(texts(m.States()), "unknown state %q of a %s", current, m.Kind())
	}
	if p.err != nil {
		return p.err
	}
	var options []fsm.DrawOption
	if p.has("state") {
		options = append(options, fsm.Current(current))
	}
	switch format {
	case "mermaid":
		writeText(w, m.Mermaid(options...))
	case "dot":
		writeText(w, m.DOT(options...))
	case "table":
		writeText(w, m.Table(options...))
	case "json":
		plugins.Respond(w, http.StatusOK, viewOfMachine(m, current))
	}
	return nil
}

func writeText(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, text) // the client has gone, then
}

type machineView struct {
	Kind    string      `json:"kind"`
	Initial []fsm.State `json:"initial"`
	Current fsm.State   `json:"current,omitempty"`
	States  []stateView `json:"states"`
	Edges   []edgeView  `json:"edges"`
}

type stateView struct {
	Name    fsm.State `json:"name"`
	Class   string    `json:"class"`
	Seconds float64   `json:"limit_seconds,omitempty"` // how long it may stay before it counts as stuck
}

type edgeView struct {
	From []fsm.State `json:"from"`
	On   fsm.Trigger `json:"on"`
	To   fsm.State   `json:"to"` // "origin": back to where it came from; "=": nothing happens
	If   string      `json:"if,omitempty"`
}

var classNames = map[fsm.Class]string{fsm.Steady: "steady", fsm.Transitional: "transitional", fsm.Final: "final"}

func viewOfMachine(m *fsm.Machine, current fsm.State) machineView {
	v := machineView{Kind: m.Kind(), Initial: m.Initial(), Current: current}
	for _, s := range m.States() {
		class, _ := m.Class(s)
		limit, _ := m.Limit(s)
		v.States = append(v.States, stateView{s, classNames[class], limit.Round(time.Millisecond).Seconds()})
	}
	for _, e := range m.Spec().Edges {
		v.Edges = append(v.Edges, edgeView{e.From, e.On, e.To, e.If.Name()})
	}
	return v
}
