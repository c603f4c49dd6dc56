package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources"
)

// askAs sends a request as an action.
func (a *testAPI) askAs(action, method, path, body string) int {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("X-Action", action)
	req.Header.Set("X-Actor", "user:1")
	req.Header.Set("X-Request-ID", "request-"+action)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		a.t.Error(err)
	}
	return res.StatusCode
}

func TestRequestsThatNameAnActionAreRecordedAsOne(t *testing.T) {
	a := newTestAPI(t)
	for _, c := range []struct {
		action, method, path, body string
		status                     int
		want                       string // the types of the events, in order
	}{
		{"deploy", "POST", "/v1/resources/network", `{"id":"n1"}`, 201,
			"action.network.deploy.scheduled action.network.deploy.started network.created action.network.deploy.succeeded"},
		{"remove", "POST", "/v1/resources/network/n1/fire", `{"trigger":"delete_requested"}`, 200,
			"action.network.remove.scheduled action.network.remove.started network.state.deleted action.network.remove.succeeded"},
		{"implement", "POST", "/v1/resources/network/n1/fire", `{"trigger":"implement_requested"}`, 409,
			"action.network.implement.scheduled action.network.implement.started action.network.implement.failed"},
		{"Rename", "PATCH", "/v1/resources/network/n1", `{"name":"x"}`, 400, ""},
	} {
		if got := a.askAs(c.action, c.method, c.path, c.body); got != c.status {
			t.Errorf("%s: %d, want %d", c.action, got, c.status)
		}
		var types []string
		for _, e := range a.must(200, "GET", "/v1/events?correlation=request-"+c.action, "").json["events"].([]any) {
			event := e.(map[string]any)
			types = append(types, event["type"].(string))
			if event["actor"] != "user:1" {
				t.Errorf("%s: an event of %v", c.action, event["actor"])
			}
		}
		if got := strings.Join(types, " "); got != c.want {
			t.Errorf("%s: events %q, want %q", c.action, got, c.want)
		}
	}
}

func TestOpenActionsAreListed(t *testing.T) {
	a := newTestAPI(t)
	for _, verb := range []string{"start", "stop", "start"} {
		if _, err := a.engine.Schedule(t.Context(), "user:1", "vm", verb, resources.Target("web1")); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]int{"": 3, "?verb=start": 2, "?kind=volume": 0, "?id=web1&actor=user:1&limit=2": 2} {
		if got := a.must(200, "GET", "/v1/actions"+query, "").json["actions"].([]any); len(got) != want {
			t.Errorf("%q: %d actions, want %d", query, len(got), want)
		}
	}
	first := a.must(200, "GET", "/v1/actions?limit=1", "").json
	rest := a.must(200, "GET", "/v1/actions?after="+first["next"].(string), "").json
	if got := rest["actions"].([]any); len(got) != 2 || rest["next"] != nil {
		t.Errorf("the second page is %v", rest)
	}
	for _, query := range []string{"?after=x", "?limit=0", "?state=open"} {
		if got := a.do("GET", "/v1/actions"+query, ""); got.status != 400 {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
}
