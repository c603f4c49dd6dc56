package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources/all"
)

var update = flag.Bool("update", false, "write the golden files")

// output runs the command, which is to succeed.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var out, errOut bytes.Buffer
	if code := run(args, &out, &errOut); code != 0 || errOut.Len() > 0 {
		t.Fatalf("%q: exit code %d\n%s", args, code, errOut.String())
	}
	return out.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
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

func TestFormats(t *testing.T) {
	for _, format := range formatNames() {
		t.Run(format, func(t *testing.T) {
			golden(t, "vm."+format, output(t, "-kind", "vm", "-format", format))
		})
	}
}

// The whole table of edges and of states, so that no change of a kind goes unnoticed.
func TestEveryKind(t *testing.T) {
	golden(t, "all.csv", output(t, "-format", "csv"))
	golden(t, "all.states", output(t, "-format", "states"))
}

func TestTableIsTheDefault(t *testing.T) {
	if got := output(t, "-kind", "vm"); got != all.Machines()[0].Table() {
		t.Errorf("got\n%s", got)
	}
}

// TestSeveralKinds: each format prints all kinds in a way in which they can be told apart.
func TestSeveralKinds(t *testing.T) {
	for format, mark := range map[string]string{"table": "## %\n\n| state |", "mermaid": "## %\n\n```mermaid\nstateDiagram", "dot": "digraph \"%\"",
		"svg": ">%</text>", "csv": "\n%,", "states": "\n%,"} {
		text := output(t, "-format", format)
		for _, m := range all.Machines() {
			if !strings.Contains(text, strings.ReplaceAll(mark, "%", m.Kind())) {
				t.Errorf("%s: there is no %s", format, m.Kind())
			}
		}
	}
}

// TestDrawingsHaveEverything: a drawing is well-formed XML, and each state and each trigger stands in it, with its limit and its guard.
func TestDrawingsHaveEverything(t *testing.T) {
	for _, m := range all.Machines() {
		texts := textsOf(t, output(t, "-kind", m.Kind(), "-format", "svg"))
		words := map[string]bool{}
		for _, text := range texts {
			for _, w := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,=()[]", r) }) {
				words[w] = true
			}
		}
		want := []string{m.Kind()}
		for _, s := range m.States() {
			want = append(want, string(s))
			if limit := limitOf(m, s); limit != "" {
				want = append(want, limit)
			}
		}
		for _, e := range m.Spec().Edges {
			if want = append(want, string(e.On)); e.If.Name() != "" {
				want = append(want, e.If.Name())
			}
		}
		for _, w := range want {
			if !words[w] {
				t.Errorf("%s: %s isn't in the drawing", m.Kind(), w)
			}
		}
	}
}

// textsOf reads what stands in a drawing. It fails for XML that isn't well-formed.
func textsOf(t *testing.T, svg string) (texts []string) {
	t.Helper()
	inText := false
	for dec := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return texts
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inText = token.Name.Local == "text"
		case xml.EndElement:
			inText = false
		case xml.CharData:
			if inText {
				texts = append(texts, string(token))
			}
		}
	}
}

// TestLabelsHaveRoom: no label reaches beyond the image, and no two are in the same row.
func TestLabelsHaveRoom(t *testing.T) {
	for _, m := range all.Machines() {
		c := layOut(m)
		rows := 0
		for i, s := range m.States() {
			for _, a := range c.arrows[i] {
				if rows++; textWidth(a.label())+2*loop > c.width {
					t.Errorf("%s: %q from %s is wider than the drawing", m.Kind(), a.label(), s)
				}
			}
		}
		if c.height < c.top+rows*rowHeight+boxHeight {
			t.Errorf("%s: %d pixels aren't enough for %d arrows", m.Kind(), c.height, rows)
		}
	}
}

func TestWrongArguments(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want []string // in the error
	}{
		{[]string{"-kind", "VM"}, []string{`"VM"`, "vm, volume, nic, network, public_ip, snapshot, template, host, host_admin, container, cluster"}},
		{[]string{"-kind", ""}, []string{`""`, "vm, volume"}},
		{[]string{"-format", "png"}, []string{`"png"`, "table, mermaid, dot, svg, csv, states"}},
		{[]string{"vm"}, []string{`"vm"`, "-kind", "-format"}},
		{[]string{"-kinds", "vm"}, []string{"-kinds", "-kind", "-format"}},
		{[]string{"-kind"}, []string{"-kind", "-format"}},
	} {
		var out, errOut bytes.Buffer
		if code := run(tt.args, &out, &errOut); code != 2 || out.Len() > 0 {
			t.Errorf("%q: exit code %d, printed %q", tt.args, code, out.String())
		}
		for _, want := range tt.want {
			if !strings.Contains(errOut.String(), want) {
				t.Errorf("%q: %q doesn't say %s", tt.args, errOut.String(), want)
			}
		}
	}
}

func TestHelpIsNoError(t *testing.T) {
	var out, errOut bytes.Buffer
	if code := run([]string{"-help"}, &out, &errOut); code != 0 || !strings.Contains(errOut.String(), "-format") {
		t.Errorf("exit code %d: %s", code, errOut.String())
	}
}

type full struct{}

var errFull = errors.New("no space left on device")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestOutputThatCannotBeWritten(t *testing.T) {
	for _, format := range formatNames() {
		for _, args := range [][]string{{"-format", format}, {"-format", format, "-kind", "nic"}} {
			var errOut bytes.Buffer
			if code := run(args, full{}, &errOut); code != 1 || !strings.Contains(errOut.String(), errFull.Error()) {
				t.Errorf("%q: exit code %d: %s", args, code, errOut.String())
			}
		}
	}
}
