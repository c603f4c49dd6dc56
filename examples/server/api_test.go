package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
)

func TestAResourceFromCreationToItsEvents(t *testing.T) {
	a := newTestAPI(t)
	made := a.must(201, "POST", "/v1/resources/vm", `{"id":"web1","tenant":"acme","name":"web","cpus":2,"memory_mib":2048}`, "X-Request-ID: req-1", "X-Actor: user:42")
	if made.json["state"] != "stopped" || made.json["cpus"] != 2.0 || made.header.Get("Location") != "/v1/resources/vm/web1" {
		t.Errorf("created %s, %v", made.body, made.header)
	}
	if got := made.allowed(); !slices.Contains(got, "start_requested") || slices.Contains(got, "pause_requested") {
		t.Errorf("a stopped VM allows %v", got)
	}
	moved := a.must(200, "POST", "/v1/resources/vm/web1/fire", `{"trigger":"start_requested","reason":"monday"}`)
	if moved.json["action"] != "moved" || moved.json["to"] != "starting" || moved.json["actor"] != "api" || moved.json["reason"] != "monday" {
		t.Errorf("fired: %s", moved.body)
	}
	operation := moved.json["operation"].(string)
	a.must(201, "POST", "/v1/resources/host", `{"id":"h1"}`)
	done := a.must(200, "POST", "/v1/resources/vm/web1/fire",
		`{"trigger":"operation_succeeded","operation":"`+operation+`","actor":"driver","set":{"host_id":"h1"}}`)
	if done.json["to"] != "running" || done.json["actor"] != "driver" {
		t.Errorf("fired: %s", done.body)
	}
	same := a.must(200, "POST", "/v1/resources/vm/web1/fire", `{"trigger":"start_requested"}`)
	if same.json["action"] != "unchanged" {
		t.Errorf("fired: %s", same.body)
	}
	a.must(200, "PATCH", "/v1/resources/vm/web1", `{"name":"www"}`)
	got := a.must(200, "GET", "/v1/resources/vm/web1", "")
	if got.json["state"] != "running" || got.json["host_id"] != "h1" || got.json["name"] != "www" || !slices.Contains(got.allowed(), "stop_requested") {
		t.Errorf("got %s", got.body)
	}
	var types []string
	for _, e := range a.must(200, "GET", "/v1/events?kind=vm&id=web1", "").json["events"].([]any) {
		types = append(types, e.(map[string]any)["type"].(string))
	}
	if want := []string{"vm.created", "vm.state.starting", "vm.state.running", "vm.updated"}; !slices.Equal(types, want) {
		t.Errorf("events %v, want %v", types, want)
	}
	ofRequest := a.must(200, "GET", "/v1/events?correlation=req-1&actor=user:42", "").json["events"].([]any)
	if len(ofRequest) != 1 || ofRequest[0].(map[string]any)["subject"] != "vm/web1" {
		t.Errorf("events of the request: %v", ofRequest)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	veto := listeners.Funcs{ListenerName: "quota", OnBefore: func(_ context.Context, c resources.Change) error {
		switch c.ResourceID {
		case "forbidden":
			return fmt.Errorf("over quota")
		case "explosive":
			panic("boom")
		}
		return nil
	}}
	a := newTestAPI(t, veto)
	a.must(201, "POST", "/v1/resources/vm", `{"id":"web1"}`)
	tests := []struct {
		name         string
		method, path string
		body         string
		header       string
		status       int
		says         string // in the error
		allows       string // among what is allowed
	}{
		{"unknown path", "GET", "/v2/resources", "", "", 404, "/v2/resources", ""},
		{"path that isn't clean", "POST", "/v1/resources/vm//fire", `{"trigger":"start_requested"}`, "", 404, "//fire", ""},
		{"wrong method", "DELETE", "/v1/resources/vm/web1", "", "", 405, "DELETE", "PATCH"},
		{"unknown kind, list", "GET", "/v1/resources/vn", "", "", 404, `"vn"`, "vm"},
		{"unknown kind, create", "POST", "/v1/resources/vn", "{}", "", 404, `"vn"`, "volume"},
		{"unknown kind, machine", "GET", "/v1/machines/vn", "", "", 404, `"vn"`, "nic"},
		{"unknown id", "GET", "/v1/resources/vm/web2", "", "", 404, "vm/web2", ""},
		{"unknown id, fire", "POST", "/v1/resources/vm/web2/fire", `{"trigger":"start_requested"}`, "", 404, "vm/web2", ""},
		{"unknown id, update", "PATCH", "/v1/resources/vm/web2", `{"name":"x"}`, "", 404, "vm/web2", ""},
		{"id of control characters", "GET", "/v1/resources/vm/%00%0a", "", "", 404, "not found", ""},
		{"unknown trigger", "POST", "/v1/resources/vm/web1/fire", `{"trigger":"start"}`, "", 400, `"start"`, "start_requested"},
		{"no trigger", "POST", "/v1/resources/vm/web1/fire", `{}`, "", 400, "which trigger", "start_requested"},
		{"not allowed now", "POST", "/v1/resources/vm/web1/fire", `{"trigger":"pause_requested"}`, "", 409, "pause_requested", "start_requested"},
		{"arguments that would be lost", "POST", "/v1/resources/vm/web1/fire", `{"trigger":"stop_requested","set":{"name":"x"}}`, "", 409, "arguments", ""},
		{"outcome of another operation", "POST", "/v1/resources/vm/web1/fire",
			`{"trigger":"operation_succeeded","operation":"01890a5d-ac96-774b-bcce-b302099a8057"}`, "", 409, "another operation", ""},
		{"operation that is no id", "POST", "/v1/resources/vm/web1/fire", `{"trigger":"start_requested","operation":"x"}`, "", 400, "", ""},
		{"time that is none", "POST", "/v1/resources/vm/web1/fire", `{"trigger":"start_requested","at":"yesterday"}`, "", 400, "", ""},
		{"time far ahead", "POST", "/v1/resources/vm/web1/fire", `{"trigger":"start_requested","at":"2200-01-01T00:00:00Z"}`, "", 400, "2200", ""},
		{"set of a fixed field", "POST", "/v1/resources/vm/web1/fire", `{"trigger":"start_requested","set":{"state":"running"}}`, "", 400, `"state"`, "cpus"},
		{"set of nothing", "POST", "/v1/resources/vm/web1/fire", `{"trigger":"start_requested","set":5}`, "", 400, "object", ""},
		{"vetoed", "POST", "/v1/resources/vm", `{"id":"forbidden"}`, "", 403, "over quota", ""},
		{"a listener that panics", "POST", "/v1/resources/vm", `{"id":"explosive"}`, "", 500, "internal error", ""},
		{"exists", "POST", "/v1/resources/vm", `{"id":"web1"}`, "", 409, "vm/web1", ""},
		{"id that is none", "POST", "/v1/resources/vm", `{"id":"a b"}`, "", 400, "id", ""},
		{"state that isn't initial", "POST", "/v1/resources/vm", `{"state":"running"}`, "", 400, "running", ""},
		{"field out of range", "POST", "/v1/resources/vm", `{"cpus":-1}`, "", 400, "cpus", ""},
		{"number too large", "POST", "/v1/resources/vm", `{"cpus":1e99}`, "", 400, "cpus", ""},
		{"unknown field", "POST", "/v1/resources/vm", `{"cpu":1}`, "", 400, `"cpu"`, "cpus"},
		{"wrong case", "POST", "/v1/resources/vm", `{"CPUs":1}`, "", 400, `"CPUs"`, "cpus"},
		{"managed field", "POST", "/v1/resources/vm", `{"version":7}`, "", 400, `"version"`, "cpus"},
		{"null", "PATCH", "/v1/resources/vm/web1", `{"name":null}`, "", 400, `"name"`, ""},
		{"wrong type", "POST", "/v1/resources/vm", `{"cpus":"two"}`, "", 400, "cpus", ""},
		{"not an object", "POST", "/v1/resources/vm", `[1]`, "", 400, "object", ""},
		{"null for an object", "POST", "/v1/resources/vm", `null`, "", 400, "object", ""},
		{"not JSON", "POST", "/v1/resources/vm", `{"id":`, "", 400, "JSON", ""},
		{"two objects", "POST", "/v1/resources/vm", `{"id":"x"}{}`, "", 400, "JSON", ""},
		{"field twice", "POST", "/v1/resources/vm/web1/fire", `{"trigger":"start_requested","trigger":"stop_requested"}`, "", 400, `"trigger"`, ""},
		{"field twice, in set", "POST", "/v1/resources/vm/web1/fire", `{"trigger":"start_requested","set":{"cpus":1,"name":"x","cpus":2}}`, "", 400, `"cpus"`, ""},
		{"not UTF-8", "POST", "/v1/resources/vm", "{\"id\":\"\xff\"}", "", 400, "UTF-8", ""},
		{"empty", "POST", "/v1/resources/vm", ``, "", 400, "empty", ""},
		{"too large", "POST", "/v1/resources/vm", `{"name":"` + strings.Repeat("x", maxBody) + `"}`, "", 413, "1 MiB", ""},
		{"another content type", "POST", "/v1/resources/vm", `{}`, "Content-Type: text/xml", 415, "text/xml", "application/json"},
		{"actor with a tab", "POST", "/v1/resources/vm", `{}`, "X-Actor: a\tb", 400, "actor", ""},
		{"from another site", "POST", "/v1/resources/vm", `{}`, "Sec-Fetch-Site: cross-site", 403, "other sites", ""},
		{"unknown parameter", "GET", "/v1/resources/vm?colour=red", "", "", 400, `"colour"`, "cpus"},
		{"unknown state", "GET", "/v1/resources/vm?state=asleep", "", "", 400, `"asleep"`, "running"},
		{"filter of the wrong type", "GET", "/v1/resources/vm?cpus=two", "", "", 400, "cpus", ""},
		{"limit 0", "GET", "/v1/resources/vm?limit=0", "", "", 400, "1000", ""},
		{"limit too large", "GET", "/v1/resources/vm?limit=1001", "", "", 400, "1000", ""},
		{"query that cannot be read", "GET", "/v1/resources/vm?a=%zz", "", "", 400, "query", ""},
		{"parameter of a single resource", "GET", "/v1/resources/vm/web1?x=1", "", "", 400, `"x"`, ""},
		{"parameter of a creation", "POST", "/v1/resources/vm?dry_run=true", `{}`, "", 400, `"dry_run"`, ""},
		{"parameter of a fire", "POST", "/v1/resources/vm/web1/fire?force=1", `{"trigger":"start_requested"}`, "", 400, `"force"`, ""},
		{"parameter of an update", "PATCH", "/v1/resources/vm/web1?x=1", `{"name":"x"}`, "", 400, `"x"`, ""},
		{"event pattern", "GET", "/v1/events?type=VM.>", "", "", 400, "VM.>", ""},
		{"event parameter", "GET", "/v1/events?types=vm.>", "", "", 400, `"types"`, "type"},
		{"event order", "GET", "/v1/events?order=random", "", "", 400, "random", "newest"},
		{"event number", "GET", "/v1/events?after=-1", "", "", 400, "-1", ""},
		{"event time", "GET", "/v1/events?since=now", "", "", 400, "now", ""},
		{"event window", "GET", "/v1/events?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "", "", 400, "Until", ""},
		{"event kind", "GET", "/v1/events?kind=vn", "", "", 400, `"vn"`, "vm"},
		{"event id of no kind", "GET", "/v1/events?id=web1", "", "", 400, "kind", ""},
		{"drawing format", "GET", "/v1/machines/vm?format=png", "", "", 400, "png", "dot"},
		{"drawing state", "GET", "/v1/machines/vm?state=asleep", "", "", 400, "asleep", "running"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var header []string
			if tt.header != "" {
				header = []string{tt.header}
			}
			got := a.do(tt.method, tt.path, tt.body, header...)
			said, _ := got.json["error"].(string)
			if got.status != tt.status || said == "" || !strings.Contains(said, tt.says) {
				t.Errorf("%d %s, want %d and %q", got.status, got.body, tt.status, tt.says)
			}
			if tt.allows != "" && !slices.Contains(got.allowed(), tt.allows) {
				t.Errorf("allowed are %v, without %q", got.allowed(), tt.allows)
			}
		})
	}
	if got := a.must(200, "GET", "/v1/resources/vm", "").json["items"].([]any); len(got) != 1 {
		t.Errorf("refused requests left %d VMs", len(got))
	}
}

func TestListsAreFilteredAndPaged(t *testing.T) {
	a := newTestAPI(t)
	for i := range 5 {
		a.must(201, "POST", "/v1/resources/vm", fmt.Sprintf(`{"id":"vm%d","tenant":"t%d","cpus":%d}`, i, i%2, i))
	}
	a.must(200, "POST", "/v1/resources/vm/vm4/fire", `{"trigger":"report_running"}`)
	tests := []struct {
		query string
		want  []string
		next  any
	}{
		{"", []string{"vm0", "vm1", "vm2", "vm3", "vm4"}, nil},
		{"?limit=2", []string{"vm0", "vm1"}, "vm1"},
		{"?limit=2&after=vm1", []string{"vm2", "vm3"}, "vm3"},
		{"?limit=2&after=vm3", []string{"vm4"}, nil},
		{"?tenant=t1", []string{"vm1", "vm3"}, nil},
		{"?cpus=3", []string{"vm3"}, nil},
		{"?state=running", []string{"vm4"}, nil},
		{"?state=running,stopped&tenant=t0", []string{"vm0", "vm2", "vm4"}, nil},
		{"?state=paused", []string{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			got := a.must(200, "GET", "/v1/resources/vm"+tt.query, "")
			ids := []string{}
			for _, item := range got.json["items"].([]any) {
				ids = append(ids, item.(map[string]any)["id"].(string))
			}
			if !slices.Equal(ids, tt.want) || got.json["next"] != tt.next {
				t.Errorf("%v, next %v; want %v, next %v", ids, got.json["next"], tt.want, tt.next)
			}
		})
	}
}

func TestEventsArePagedBothWays(t *testing.T) {
	a := newTestAPI(t)
	for i := range 5 {
		a.must(201, "POST", "/v1/resources/vm", fmt.Sprintf(`{"id":"vm%d"}`, i))
	}
	for order, position := range map[string]string{"oldest": "after", "newest": "before"} {
		var seqs []float64
		path := "/v1/events?limit=2&order=" + order
		for next := ""; ; {
			got := a.must(200, "GET", path+next, "")
			for _, e := range got.json["events"].([]any) {
				seqs = append(seqs, e.(map[string]any)["seq"].(float64))
			}
			if got.json["next"] == nil {
				break
			}
			next = fmt.Sprintf("&%s=%v", position, got.json["next"])
		}
		want := []float64{1, 2, 3, 4, 5}
		if order == "newest" {
			slices.Reverse(want)
		}
		if !slices.Equal(seqs, want) {
			t.Errorf("%s first: %v", order, seqs)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	a := newTestAPI(t)
	tests := []struct {
		name, given string
		kept        bool
	}{
		{"given", "abc-1", true},
		{"none", "", false},
		{"with a blank", "a b", false},
		{"too long", strings.Repeat("x", maxRequestID+1), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := a.must(200, "GET", "/healthz", "", "X-Request-ID: "+tt.given).header.Get("X-Request-ID")
			if got == "" || (got == tt.given) != tt.kept {
				t.Errorf("X-Request-ID: %q", got)
			}
		})
	}
}

func TestMachinesAreDrawn(t *testing.T) {
	a := newTestAPI(t)
	for format, says := range map[string]string{"mermaid": "stateDiagram", "dot": "digraph", "table": "start_requested", "json": `"transitional"`} {
		if got := a.must(200, "GET", "/v1/machines/vm?format="+format+"&state=running", ""); !strings.Contains(got.body, says) {
			t.Errorf("%s: %s", format, got.body)
		}
	}
	plain, marked := a.must(200, "GET", "/v1/machines/nic", ""), a.must(200, "GET", "/v1/machines/nic?state=reserved", "")
	if plain.body == marked.body {
		t.Error("a state that is named isn't marked")
	}
}

func TestReadyWhileTheJournalTakesWrites(t *testing.T) {
	a := newTestAPI(t)
	if got := a.must(200, "GET", "/readyz", ""); got.json["ready"] != true {
		t.Errorf("readyz: %s", got.body)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := a.journal.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if got := a.must(503, "GET", "/readyz", ""); got.json["ready"] != false {
		t.Errorf("readyz: %s", got.body)
	}
	a.must(200, "GET", "/healthz", "")
	a.must(503, "POST", "/v1/resources/vm", `{"id":"x"}`)
}

func TestPanicEndsTheRequestOnly(t *testing.T) {
	a := newTestAPI(t)
	a.mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("boom") })
	got := a.must(500, "GET", "/panic", "", "X-Request-ID: r-7")
	if said, _ := got.json["error"].(string); !strings.Contains(said, "r-7") || strings.Contains(got.body, "boom") {
		t.Errorf("answered %s", got.body)
	}
	a.must(200, "GET", "/healthz", "")
}

func TestQueuesShowEachSubscription(t *testing.T) {
	a := newTestAPI(t)
	l := a.listen("?type=vm.%3E")
	defer l.stop()
	queues := a.must(200, "GET", "/v1/queues", "").json["queues"].([]any)
	if len(queues) != 1 {
		t.Fatalf("queues: %v", queues)
	}
	q := queues[0].(map[string]any)
	if q["client"] != "http" || q["filter"] == "" || q["kind"] != "from" || !strings.Contains(q["site"].(string), "stream.go") {
		t.Errorf("queue: %v", q)
	}
}
