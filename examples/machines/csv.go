package main

import (
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// printCSV prints a row for each edge from each state, state by state.
func printCSV(out io.Writer, machines []*fsm.Machine) error {
	rows := [][]string{{"kind", "from", "trigger", "guard", "to"}}
	for _, m := range machines {
		edges := m.Spec().Edges
		for _, from := range m.States() {
			for _, e := range edges {
				if slices.Contains(e.From, from) {
					rows = append(rows, []string{m.Kind(), string(from), string(e.On), e.If.Name(), string(e.To)})
				}
			}
		}
	}
	return csv.NewWriter(out).WriteAll(rows)
}

// printStates prints a row for each state.
func printStates(out io.Writer, machines []*fsm.Machine) error {
	rows := [][]string{{"kind", "state", "class", "limit"}}
	for _, m := range machines {
		for _, s := range m.States() {
			class, _ := m.Class(s)
			rows = append(rows, []string{m.Kind(), string(s), class.String(), limitOf(m, s)})
		}
	}
	return csv.NewWriter(out).WriteAll(rows)
}

// limitOf is how long a transitional state may take, without units that are zero: 10m, 2h, 1h30m. For others it is empty.
func limitOf(m *fsm.Machine, s fsm.State) string {
	limit, ok := m.Limit(s)
	if !ok {
		return ""
	}
	text := limit.String()
	if limit%time.Minute == 0 {
		text = strings.TrimSuffix(text, "0s")
	}
	if limit%time.Hour == 0 {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
