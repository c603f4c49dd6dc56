package eventlog_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
)

// ask sends a request and returns the status and the body.
func (h *house) ask(method, target, body string) (int, string) {
	h.t.Helper()
	w := httptest.NewRecorder()
	h.mux.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	answer, err := io.ReadAll(w.Result().Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return w.Code, string(answer)
}

func (h *house) answer(method, target, body string, into any) {
	h.t.Helper()
	status, answer := h.ask(method, target, body)
	if status != http.StatusOK {
		h.t.Fatalf("%s %s: %d %s", method, target, status, answer)
	}
	if err := json.Unmarshal([]byte(answer), into); err != nil {
		h.t.Fatalf("%s %s: %v in %s", method, target, err, answer)
	}
}

func TestHTTPFiltersAndPages(t *testing.T) {
	h := open(t, `{}`)
	h.record(append(many(25, "vm.created"), say("vm.stuck", "web-2", map[string]string{"message": "host 7 is slow"}))...)
	for query, want := range map[string]int{
		"": 26, "kind=vm&resource=web-2": 1, "tenant=acme&limit=1000": 26, "tenant=x": 0, "type=*.stuck": 1, "level=warning,error": 1, "text=" + url.QueryEscape(`"host 7" slo*`): 1,
		"since=2026-05-01T12:00:00Z": 26, "until=2026-05-01T12:00:00Z": 0, "first_seq=3&last_seq=5": 3, "archived=true": 0, "archived=all&actor=&order=oldest": 26,
	} {
		var page eventlog.Page
		if h.answer("GET", "/v1/eventlog?"+query, "", &page); len(page.Events) != want {
			t.Errorf("%s: %d events, want %d", query, len(page.Events), want)
		}
	}
	var page eventlog.Page
	h.answer("GET", "/v1/eventlog?limit=10&order=oldest", "", &page)
	h.answer("GET", "/v1/eventlog?limit=10&order=oldest&after="+page.Next, "", &page)
	if got := fmt.Sprint(seqs(page.Events)); got != "[11 12 13 14 15 16 17 18 19 20]" {
		t.Errorf("the second page has %s", got)
	}
	var first eventlog.Page
	h.answer("GET", "/v1/eventlog?limit=10&order=oldest&before="+page.Previous, "", &first)
	if got := fmt.Sprint(seqs(first.Events)); got != "[1 2 3 4 5 6 7 8 9 10]" || first.Previous != "" {
		t.Errorf("the page before has %s, and %q before it", got, first.Previous)
	}
}

func TestHTTPRefusesWhatIsWrong(t *testing.T) {
	h := open(t, `{}`)
	h.record(many(1, "vm.created")...)
	for _, c := range []struct {
		method, target, body string
		status               int
		want                 string
	}{
		{"GET", "/v1/eventlog?color=red", "", 400, `unknown parameter \"color\" (allowed: kind, resource`},
		{"GET", "/v1/eventlog?kind=vm&kind=x", "", 400, "is given 2 times"},
		{"GET", "/v1/eventlog?level=fatal", "", 400, "level \\\"fatal\\\" is unknown (allowed: info, warning, error)"},
		{"GET", "/v1/eventlog?order=up", "", 400, "order \\\"up\\\" is unknown (allowed: newest, oldest)"},
		{"GET", "/v1/eventlog?archived=maybe", "", 400, "(allowed: false, true, all)"},
		{"GET", "/v1/eventlog?type=vm..x", "", 400, "is no pattern of event types"},
		{"GET", "/v1/eventlog?since=yesterday", "", 400, "is no RFC 3339 time"},
		{"GET", "/v1/eventlog?since=2026-05-01T12:00:00Z&until=2026-05-01T12:00:00Z", "", 400, "is not after since"},
		{"GET", "/v1/eventlog?since=1000-05-01T12:00:00Z", "", 400, "is out of range"},
		{"GET", "/v1/eventlog?first_seq=0", "", 400, "is no number of an event"},
		{"GET", "/v1/eventlog?first_seq=9&last_seq=8", "", 400, "is below first_seq 9"},
		{"GET", "/v1/eventlog?after=7", "", 400, "is no cursor"},
		{"GET", "/v1/eventlog?after=n07", "", 400, "is no cursor"},
		{"GET", "/v1/eventlog?after=n99999999999999999999", "", 400, "is no cursor"},
		{"GET", "/v1/eventlog?after=o7", "", 400, "is a cursor of a listing in the other order"},
		{"GET", "/v1/eventlog?after=n7&before=n7", "", 400, "is given, and after too"},
		{"GET", "/v1/eventlog?limit=1001", "", 400, "is not in 1 to 1000"},
		{"GET", "/v1/eventlog?text=a+OR+b", "", 400, "has the operator OR"},
		{"GET", "/v1/eventlog?tenant=%00", "", 400, "has a control character"},
		{"GET", "/v1/eventlog/chains", "", 400, "is required, or event"},
		{"GET", "/v1/eventlog/chains/a?correlation=b", "", 400, "is given twice"},
		{"GET", "/v1/eventlog/chains/a?limit=9999", "", 400, "is not in 1 to 4000"},
		{"GET", "/v1/eventlog/chains/nobody", "", 404, "not found"},
		{"GET", "/v1/eventlog/export?limit=3", "", 400, "unknown parameter"},
		{"GET", "/v1/eventlog/export?type=vm..x", "", 400, "is no pattern"},
		{"POST", "/v1/eventlog/archive", `{"filter": {"kinds": "vm"}}`, 400, "unknown field"},
		{"POST", "/v1/eventlog/archive", `{"filter": {}}`, 400, "says nothing"},
		{"POST", "/v1/eventlog/archive", `{"ids": ["x"]} {}`, 400, "something behind the object"},
		{"POST", "/v1/eventlog/archive", `{"filter": {"kind": "vm"}}}`, 400, "something behind the object"},
		{"POST", "/v1/eventlog/archive", `{"filter": {"kind": "vm"}}]`, 400, "something behind the object"},
		{"GET", "/v1/eventlog?until=0001-01-01T00:00:00Z", "", 400, "is no RFC 3339 time"},
		{"POST", "/v1/eventlog/archive", ``, 400, "can't be read"},
		{"POST", "/v1/eventlog/archive", `{"ids": ["01900000-0000-7000-8000-000000000000"]}`, 404, "not found"},
		{"POST", "/v1/eventlog/archive?x=1", `{}`, 400, "unknown parameter"},
		{"POST", "/v1/eventlog/unarchive", `{"filter": {"kind": "vm"}, "limit": 50001}`, 400, "is not in 1 to 50000"},
	} {
		status, answer := h.ask(c.method, c.target, c.body)
		if status != c.status || !strings.Contains(answer, c.want) {
			t.Errorf("%s %s %s: %d %s, want %d %q", c.method, c.target, c.body, status, answer, c.status, c.want)
		}
	}
}

func TestHTTPChainArchiveAndExport(t *testing.T) {
	h := open(t, `{}`)
	id := ids(2)
	h.record(caused("a", id[0], bus.ID{}, "req/1"), caused("b", id[1], id[0], "req/1"))
	for _, target := range []string{"/v1/eventlog/chains/req/1", "/v1/eventlog/chains?correlation=req/1", "/v1/eventlog/chains?event=" + id[1].String()} {
		var c eventlog.Chain
		if h.answer("GET", target, "", &c); draw(c.Roots) != "a(b)" {
			t.Errorf("%s: %s", target, draw(c.Roots))
		}
	}
	var done eventlog.Changed
	if h.answer("POST", "/v1/eventlog/archive", `{"filter": {"type": "vm.created", "last_seq": 1}}`, &done); done.Events != 1 {
		t.Errorf("archived: %+v", done)
	}
	h.wantEvents("", 1)
	status, lines := h.ask("GET", "/v1/eventlog/export?archived=all&order=oldest", "")
	var line eventlog.Line
	if err := json.Unmarshal([]byte(strings.SplitN(lines, "\n", 2)[0]), &line); err != nil || status != http.StatusOK || strings.Count(lines, "\n") != 2 {
		t.Errorf("export: %d %q (%v)", status, lines, err)
	}
	if line.SpecVersion != "1.0" || line.Sequence != "00000000000000000001" || line.Subject != "vm/a" || line.ArchivedAt.IsZero() || string(line.Data) != `"a"` {
		t.Errorf("the first line is %+v", line)
	}
	if h.answer("POST", "/v1/eventlog/unarchive", fmt.Sprintf(`{"ids": [%q]}`, id[0]), &done); done.Events != 1 {
		t.Errorf("taken back: %+v", done)
	}
	h.wantEvents("", 2)
	if status, lines := h.ask("GET", "/v1/eventlog/export?tenant=nobody", ""); status != http.StatusOK || lines != "" {
		t.Errorf("an export of nothing: %d %q", status, lines)
	}
}

func TestExportHasEverythingOnceWhileEventsCome(t *testing.T) {
	h := open(t, `{"effort": 1}`)
	h.record(many(2500, "vm.created")...)
	var out strings.Builder
	n, err := h.log.Export(t.Context(), &writer{&out, func() { h.record(many(1, "vm.created")...) }}, eventlog.Query{Type: "vm.>"})
	if err != nil || n != 2500 || strings.Count(out.String(), "\n") != n {
		t.Errorf("%d lines, %v", n, err)
	}
}

// writer lets something happen at each write.
type writer struct {
	w  io.Writer
	do func()
}

func (w *writer) Write(data []byte) (int, error) {
	w.do()
	return w.w.Write(data)
}
