package resources_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources/all"
)

var update = flag.Bool("update", false, "write the golden files and the drawings in doc.go")

// machines of the built-in kinds, in the order of LIFECYCLES.md.
var machines = all.Machines()

// folder is where the kind of a machine lives: public_ip in publicip.
func folder(m *fsm.Machine) string { return strings.ReplaceAll(m.Kind(), "_", "") }

// TestMachinesAreThoseOfTheTable keeps each machine and its golden file in step, so that no edge changes unnoticed.
func TestMachinesAreThoseOfTheTable(t *testing.T) {
	for _, m := range machines {
		t.Run(m.Kind(), func(t *testing.T) {
			golden(t, filepath.Join(folder(m), "testdata", "machine.md"), m.Table())
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
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

var drawing = regexp.MustCompile(`(?s)//\tstateDiagram-v2\n.*?package `)

// TestDocsDrawTheMachine keeps the drawing in each kind's doc.go in step with its machine.
func TestDocsDrawTheMachine(t *testing.T) {
	for _, m := range machines {
		t.Run(m.Kind(), func(t *testing.T) {
			path := filepath.Join(folder(m), "doc.go")
			doc, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var want strings.Builder
			for line := range strings.Lines(m.Mermaid()) {
				want.WriteString("//\t" + strings.TrimPrefix(line, "    "))
			}
			want.WriteString("package ")
			if *update {
				doc = drawing.ReplaceAllLiteral(doc, []byte(want.String()))
				if err := os.WriteFile(path, doc, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if !strings.Contains(string(doc), want.String()) {
				t.Errorf("the drawing in %s is not the machine's (go test -update writes it)", path)
			}
		})
	}
}
