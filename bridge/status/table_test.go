package status_test

import (
	"bytes"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge/status"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestTablesAreWrittenDown compares all tables with a golden file, so that a change of one is seen by who reviews it.
func TestTablesAreWrittenDown(t *testing.T) {
	var b strings.Builder
	for _, table := range []*status.Table{status.EC2, status.Azure, status.VMware, status.Libvirt, status.KubeVirt, status.Kubernetes, status.Docker} {
		fmt.Fprintf(&b, "%s %s\n", table.Platform(), table.ServiceType().Name)
		for _, r := range table.Rows() {
			fmt.Fprintf(&b, "  %-40s %s\n", r.Raw, r.Status)
		}
	}
	for _, st := range status.BuiltIn() {
		fmt.Fprintf(&b, "%s -> %s %v\n", st.Name, st.Kind, st.Statuses)
		for _, alias := range slices.Sorted(maps.Keys(st.Aliases)) {
			fmt.Fprintf(&b, "  %-40s %s\n", alias, st.Aliases[alias])
		}
	}
	golden := filepath.Join("testdata", "tables.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the tables are\n%s\nthe golden file has\n%s", b.String(), want)
	}
}

// TestTablesEqualTheContract compares the tables with section 2 of the contract, both ways.
func TestTablesEqualTheContract(t *testing.T) {
	columns := contractTables(t)
	for header, tables := range map[string][]*status.Table{
		"AWS EC2":             {status.EC2},
		"Azure":               {status.Azure},
		"VMware":              {status.VMware},
		"libvirt / KubeVirt":  {status.Libvirt, status.KubeVirt},
		"Kubernetes / Docker": {status.Kubernetes, status.Docker},
	} {
		t.Run(header, func(t *testing.T) {
			contract := columns[header]
			if len(contract) < 6 {
				t.Fatalf("the contract has %v", contract)
			}
			ours := map[string]string{}
			for _, table := range tables {
				for _, r := range table.Rows() {
					ours[r.Raw] = string(r.Status)
				}
			}
			if !maps.Equal(ours, contract) {
				t.Errorf("ours:     %v\ncontract: %v", ours, contract)
			}
		})
	}
	t.Run("clusters", func(t *testing.T) {
		for word, want := range columns["meaning"] {
			if s, ok := status.Cluster.Parse(word); !ok || string(s) != want {
				t.Errorf("%s is %s, want %s", word, s, want)
			}
			delete(columns["meaning"], word)
		}
	})
}

var inParentheses = regexp.MustCompile(`^(.*?) \((.*)\)$`)

// contractTables reads word -> status of each column of section 2. Words of the column "meaning" are the statuses' own names and aliases.
func contractTables(t *testing.T) map[string]map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "STATUS.md"))
	if err != nil {
		t.Skipf("there is no contract to compare with: %v", err)
	}
	_, section, _ := strings.Cut(string(text), "\n## 2. ")
	section, _, _ = strings.Cut(section, "\n## ")
	columns := map[string]map[string]string{}
	var headers []string
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case len(cells) < 2:
			headers = nil
		case headers == nil:
			headers = cells
		case strings.HasPrefix(cells[0], "---"):
		default:
			contractRow(columns, headers, cells)
		}
	}
	return columns
}

func contractRow(columns map[string]map[string]string, headers, cells []string) {
	for i, cell := range cells {
		column := columns[headers[i]]
		if column == nil {
			column = map[string]string{}
			columns[headers[i]] = column
		}
		switch {
		case headers[i] == "meaning":
			for _, s := range strings.Split(cells[0], ", ") {
				name, also := s, ""
				if m := inParentheses.FindStringSubmatch(cells[0]); m != nil {
					name, also = m[1], strings.TrimPrefix(m[2], "also ")
				}
				column[name] = name
				for _, alias := range strings.Split(also, ", ") {
					if alias != "" {
						column[alias] = name
					}
				}
			}
		case i > 0 && cell != "" && !strings.HasPrefix(cell, "–"):
			name, _, _ := strings.Cut(cells[0], " ")
			for _, word := range strings.Split(cell, ", ") {
				if m := inParentheses.FindStringSubmatch(word); m != nil && m[1] != "exited" { // a note
					word = m[1]
				}
				column[word] = name
			}
		}
	}
}

func TestWordsThatArentInATableAreNeverGuessedInSilence(t *testing.T) {
	var log bytes.Buffer
	table, err := status.NewTable("mycloud", status.VM, []status.Row{{Raw: "on", Status: status.Running}}, status.TableOptions{
		Closest: map[string]status.Status{"melting": status.Error},
		Logger:  slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		raw   string
		want  status.Status
		known bool
	}{{"on", status.Running, true}, {"melting", status.Error, false}, {"frozen", status.Unknown, false}, {"frozen", status.Unknown, false}} {
		if s, known := table.Map(c.raw); s != c.want || known != c.known {
			t.Errorf("%s is %s, %v", c.raw, s, known)
		}
	}
	words := table.Unknown()
	if len(words) != 2 || words[0].Raw != "frozen" || words[0].Count != 2 || words[1].Raw != "melting" || words[1].Status != status.Error || words[0].Last.Before(words[0].First) {
		t.Errorf("listed: %+v", words)
	}
	if n := strings.Count(log.String(), "frozen"); n != 1 {
		t.Errorf("frozen was logged %d times:\n%s", n, &log)
	}
	for i := range 2000 {
		table.Map(fmt.Sprint("word", i))
	}
	if words = table.Unknown(); len(words) != 1001 || words[0].Raw != status.Beyond || words[0].Count != 1002 {
		t.Errorf("%d words are listed, the first is %+v", len(words), words[0])
	}
}

func TestTablesFoldWhatTheirPlatformsWrite(t *testing.T) {
	for _, c := range []struct {
		table *status.Table
		raw   string
		want  status.Status
		known bool
	}{
		{status.Azure, "PowerState/running", status.Running, true},
		{status.Azure, "VM deallocated", status.Stopped, true},
		{status.Azure, "ProvisioningState/creating", status.Provisioning, true},
		{status.Docker, "exited (0)", status.Succeeded, true},
		{status.Docker, "exited (137)", status.Failed, true},
		{status.Docker, "exited (", status.Unknown, false},
		{status.EC2, "Running", status.Unknown, false},
	} {
		if s, known := c.table.Map(c.raw); s != c.want || known != c.known {
			t.Errorf("%s of %s is %s, %v", c.raw, c.table.Platform(), s, known)
		}
	}
}

func TestTablesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		platform string
		rows     []status.Row
		options  status.TableOptions
	}{
		"no platform":      {"", nil, status.TableOptions{}},
		"no word":          {"x", []status.Row{{Status: status.Running}}, status.TableOptions{}},
		"two rows":         {"x", []status.Row{{Raw: "a", Status: status.Running}, {Raw: "a", Status: status.Stopped}}, status.TableOptions{}},
		"another's status": {"x", []status.Row{{Raw: "a", Status: status.Ready}}, status.TableOptions{}},
		"row and closest":  {"x", []status.Row{{Raw: "a", Status: status.Running}}, status.TableOptions{Closest: map[string]status.Status{"a": status.Running}}},
		"stray closest":    {"x", nil, status.TableOptions{Closest: map[string]status.Status{"a": status.Ready}}},
		"stray else":       {"x", nil, status.TableOptions{Else: status.Ready}},
	} {
		if _, err := status.NewTable(c.platform, status.VM, c.rows, c.options); err == nil {
			t.Errorf("%s: made", name)
		}
	}
}

func TestEmbeddersRegisterTablesOfTheirOwn(t *testing.T) {
	mine := status.MustTable("openstack", status.VM, []status.Row{{Raw: "ACTIVE", Status: status.Running}}, status.TableOptions{})
	if err := status.RegisterTable(mine); err != nil {
		t.Fatal(err)
	}
	if got, ok := status.TableOf("openstack", "vm"); !ok || got != mine {
		t.Errorf("got %v, %v", got, ok)
	}
	if got, ok := status.TableOf("vmware", "vm"); !ok || got != status.VMware {
		t.Errorf("the contract's: %v, %v", got, ok)
	}
	if _, ok := status.TableOf("vmware", "container"); ok {
		t.Error("there is a table that nobody registered")
	}
	if status.RegisterTable(nil) == nil {
		t.Error("no table was registered")
	}
	if !slices.Contains(status.Tables(), mine) {
		t.Error("the list doesn't have it")
	}
}
