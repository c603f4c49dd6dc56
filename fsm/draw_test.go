package fsm_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

var update = flag.Bool("update", false, "write the golden files")

func TestDrawings(t *testing.T) {
	m := fsm.MustNew(job())
	words := fsm.MustNew(wordy())
	tests := []struct{ file, got string }{
		{"job.mermaid", m.Mermaid()},
		{"job_moving.mermaid", m.Mermaid(fsm.Current("moving"))},
		{"job.dot", m.DOT()},
		{"job_moving.dot", m.DOT(fsm.Current("moving"))},
		{"job.md", m.Table()},
		{"job_moving.md", m.Table(fsm.Current("moving"))},
		{"wordy.mermaid", words.Mermaid(fsm.Current("end"))},
		{"wordy.dot", words.DOT(fsm.Current("end"))},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) { golden(t, tt.file, tt.got) })
	}
}

// wordy has states and triggers that are words of the drawing languages.
func wordy() fsm.Spec {
	return fsm.Spec{
		Kind:    "graph",
		Initial: fsm.States("state"),
		Final:   fsm.States("end"),
		Limits:  map[fsm.State]time.Duration{"node": 90 * time.Second},
		Edges: []fsm.Edge{
			{From: fsm.States("state"), On: "note", To: "node"},
			{From: fsm.States("node"), On: fsm.OperationSucceeded, To: "end"},
			{From: fsm.States("node"), On: fsm.OperationFailed, To: fsm.Origin},
		},
	}
}

func TestCurrentOfAnUnknownStateMarksNothing(t *testing.T) {
	m := fsm.MustNew(job())
	for _, s := range []fsm.State{"lost", ""} {
		if m.Mermaid(fsm.Current(s)) != m.Mermaid() || m.DOT(fsm.Current(s)) != m.DOT() || m.Table(fsm.Current(s)) != m.Table() {
			t.Errorf("%q marks something", s)
		}
	}
}

func TestTableWritesLimitsShortly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		10 * time.Minute:               "10m",
		2 * time.Hour:                  "2h",
		90 * time.Minute:               "1h30m",
		90 * time.Second:               "1m30s",
		time.Hour + 10*time.Second:     "1h0m10s",
		100 * time.Hour:                "100h",
		30 * time.Second:               "30s",
		1500 * time.Millisecond:        "1.5s",
		time.Minute + time.Millisecond: "1m0.001s",
	} {
		s := wordy()
		s.Limits["node"] = d
		if table := fsm.MustNew(s).Table(); !strings.Contains(table, "| transitional | "+want+" |") {
			t.Errorf("%v isn't written %s:\n%s", d, want, table)
		}
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s (go test -update writes it):\n%s", path, got)
	}
}
