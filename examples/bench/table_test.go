package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func sample() []row {
	of := func(x float64) *float64 { return &x }
	return []row{
		{group: "bus", name: "publish", unit: "ns", ours: 123.4, peer: "channels", theirs: of(61.7), bar: atLeast(1)},
		{group: "bus", name: "hop", unit: "ns", ours: 15, peer: "channels", theirs: of(10), bar: atMost(1.5)},
		{group: "bus", name: "hop", unit: "ns", ours: 15, peer: "tailscale", theirs: of(1530)},
		{group: "bus", name: "allocations", unit: "objects", ours: 0, bar: limit(0)},
		{group: "fsm", name: "allocations", unit: "objects", ours: 0, peer: "looplab", theirs: of(5)},
	}
}

func TestTable(t *testing.T) {
	const want = `
     name         unit     ours  theirs  peer       ratio    bar
bus  publish      ns       123   61.7    channels   0.50x    >= 1.00x  SHORT
bus  hop          ns       15.0  10.0    channels   1.50x    <= 1.50x  ok
bus  hop          ns       15.0  1530    tailscale  102.00x
bus  allocations  objects  0                                 <= 0      ok
fsm  allocations  objects  0     5.00    looplab

` + legend + "\n"
	var out strings.Builder
	if err := writeTable(&out, sample()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	if got := "\n" + strings.Join(lines, "\n"); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestJSON(t *testing.T) {
	var out strings.Builder
	if err := writeJSON(&out, sample()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	want := []string{
		`{"group":"bus","name":"publish","unit":"ns","ours":123.4,"peer":"channels","theirs":61.7,"ratio":0.5,"bar":">= 1.00x","verdict":"SHORT"}`,
		`{"group":"bus","name":"hop","unit":"ns","ours":15,"peer":"channels","theirs":10,"ratio":1.5,"bar":"<= 1.50x","verdict":"ok"}`,
		`{"group":"bus","name":"hop","unit":"ns","ours":15,"peer":"tailscale","theirs":1530,"ratio":102,"bar":"","verdict":""}`,
		`{"group":"bus","name":"allocations","unit":"objects","ours":0,"bar":"<= 0","verdict":"ok"}`,
		`{"group":"fsm","name":"allocations","unit":"objects","ours":0,"peer":"looplab","theirs":5,"bar":"","verdict":""}`,
	}
	for i, line := range lines {
		var a, b any
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if err := json.Unmarshal([]byte(want[i]), &b); err != nil {
			t.Fatal(err)
		}
		if x, y := mustJSON(t, a), mustJSON(t, b); x != y {
			t.Errorf("line %d: got %s, want %s", i, x, y)
		}
	}
	if len(lines) != len(want) {
		t.Errorf("%d lines, want %d", len(lines), len(want))
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestCheckCountsMissedBars(t *testing.T) {
	b := bench{rows: sample()}
	var out strings.Builder
	if err := b.report(&out, false, false); err != nil {
		t.Errorf("without -check: %v", err)
	}
	if err := b.report(&out, true, true); err == nil || err.Error() != "1 of 3 bars missed" {
		t.Errorf("with -check: %v", err)
	}
	b.rows = b.rows[1:]
	if err := b.report(&out, false, true); err != nil {
		t.Errorf("with -check and no bar missed: %v", err)
	}
}
