package usage_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func TestResizeClosesAndOpens(t *testing.T) {
	h := open(t)
	id := h.create("acme", 2, at(0))
	if _, err := h.vms.Update(t.Context(), id, func(v *vm.VM) error { v.CPUs = 4; return nil }, resources.At(at(100))); err != nil {
		t.Fatal(err)
	}
	if _, err := h.vms.Update(t.Context(), id, func(v *vm.VM) error { v.Hostname = "web"; return nil }, resources.At(at(150))); err != nil {
		t.Fatal(err)
	}
	h.fire(id, vm.DestroyRequested, at(300))
	h.settle()
	report, err := h.ledger.Report(t.Context(), usage.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range report.Rows {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(text))
	}
	want := []string{
		`{"tenant":"acme","kind":"vm","meter":"vm.allocated","cpus":2,"memory_mib":1024,"seconds":100,"corrections":0,"total":100,"intervals":1,"open":0}`,
		`{"tenant":"acme","kind":"vm","meter":"vm.allocated","cpus":4,"memory_mib":1024,"seconds":200,"corrections":0,"total":200,"intervals":1,"open":0}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestReportClipsToTheWindow(t *testing.T) {
	h := open(t)
	id := h.create("acme", 2, at(0))
	h.fire(id, vm.DestroyRequested, at(100))
	h.create("bolt", 2, at(50)) // open
	for _, c := range []struct {
		name  string
		query usage.Query
		want  string
	}{
		{"all", usage.Query{}, `{"seconds":3650,"open":1}`},
		{"one tenant", usage.Query{Tenant: "acme"}, `{"seconds":100,"open":0}`},
		{"from the middle", usage.Query{From: at(30), Tenant: "acme"}, `{"seconds":70,"open":0}`},
		{"to the middle, when it was open", usage.Query{To: at(30), Tenant: "acme"}, `{"seconds":30,"open":1}`},
		{"inside", usage.Query{From: at(10), To: at(11), Tenant: "acme"}, `{"seconds":1,"open":1}`},
		{"to just before its end", usage.Query{To: at(99.5), Tenant: "acme"}, `{"seconds":99.5,"open":1}`},
		{"to its end", usage.Query{To: at(100), Tenant: "acme"}, `{"seconds":100,"open":0}`},
		{"from its end", usage.Query{From: at(100), Tenant: "acme"}, ``},
		{"before", usage.Query{To: at(0)}, ``},
		{"after", usage.Query{From: at(100), To: at(200), Tenant: "bolt"}, `{"seconds":100,"open":1}`},
		{"beyond now", usage.Query{From: at(3500), To: at(9000)}, `{"seconds":100,"open":1}`},
		{"all in the future", usage.Query{From: at(4000), To: at(9000)}, `{"seconds":0,"open":1}`},
		{"far away", usage.Query{From: time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), To: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, `{"seconds":3650,"open":1}`},
		{"one resource", usage.Query{ResourceID: id}, `{"seconds":100,"open":0}`},
		{"other kind", usage.Query{Kind: "volume"}, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := h.totals(c.query)["vm.allocated"]; got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestCSVIsHarmlessInASpreadsheet(t *testing.T) {
	h := open(t)
	id := h.create("=cmd()", 2, at(0))
	h.fire(id, vm.DestroyRequested, at(1.5))
	h.settle()
	w := httptest.NewRecorder()
	h.manager.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/v1/usage?format=csv&to=2026-05-02T00:00:00Z", nil))
	lines, err := csv.NewReader(w.Body).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"from", "to", "tenant", "kind", "meter", "resource_id", "cpus", "memory_mib", "gib", "units", "seconds", "intervals", "open", "corrections", "total"},
		{"", "2026-05-02T00:00:00Z", "'=cmd()", "vm", "vm.allocated", "", "2", "1024", "0", "0", "1.5", "1", "0", "0", "1.5"},
	}
	if !slices.EqualFunc(lines, want, slices.Equal[[]string]) || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("%s\n%q", w.Header(), lines)
	}
}

func TestSumsDoNotOverflow(t *testing.T) {
	h := open(t)
	const year = 365 * 24 * 3600
	for range 300 { // 300 years are more nanoseconds than 64 bits hold
		h.create("acme", 1, at(-year))
	}
	h.want(usage.Query{}, map[string]string{"vm.allocated": fmt.Sprintf(`{"seconds":%d,"open":300}`, 300*(year+3600))})
}

func TestATenantPaysForHisTime(t *testing.T) {
	h := open(t)
	id := h.create("acme", 1, at(0))
	if _, err := h.vms.Update(t.Context(), id, func(v *vm.VM) error { v.Tenant = "bolt"; return nil }, resources.At(at(100))); err != nil {
		t.Fatal(err)
	}
	h.want(usage.Query{Tenant: "acme"}, map[string]string{"vm.allocated": `{"seconds":100,"open":0}`})
	h.want(usage.Query{Tenant: "bolt"}, map[string]string{"vm.allocated": `{"seconds":3500,"open":1}`})
}
