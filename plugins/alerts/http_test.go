package alerts_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func TestHTTP(t *testing.T) {
	h := open(t, "")
	var ids []string
	for range 3 {
		ids = append(ids, h.create())
		h.fire(ids[len(ids)-1], vm.StartRequested)
		h.later(10 * time.Minute)
	}
	h.fire(ids[0], vm.OperationSucceeded)
	h.settle()
	get := func(query string) (int, []string, map[string]any) {
		w := httptest.NewRecorder()
		h.manager.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/v1/alerts?"+query, nil))
		var body map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		var about []string
		list, _ := body["alerts"].([]any)
		for _, a := range list {
			about = append(about, a.(map[string]any)["resource_id"].(string))
		}
		return w.Code, about, body
	}
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"", []string{ids[2], ids[1], ids[0]}},
		{"active=true", []string{ids[2], ids[1]}},
		{"active=false", []string{ids[2], ids[1], ids[0]}},
		{"resource=" + ids[1] + "&kind=vm&name=stuck&tenant=acme", []string{ids[1]}},
		{"name=failure_rate", nil},
	} {
		if status, got, _ := get(c.query); status != 200 || !slices.Equal(got, c.want) {
			t.Errorf("%s: %d %q, want %q", c.query, status, got, c.want)
		}
	}
	_, got, body := get("limit=2")
	if next, _ := body["next"].(string); len(got) == 2 && next != "" {
		if _, rest, last := get("limit=2&before=" + next); !slices.Equal(append(got, rest...), []string{ids[2], ids[1], ids[0]}) || last["next"] != nil {
			t.Errorf("pages %q %q, then %v", got, rest, last["next"])
		}
	} else {
		t.Errorf("first page %v", body)
	}
	for query, want := range map[string]string{
		"actve=true":   `unknown parameter "actve" (allowed: active, acknowledged, name, kind, resource, tenant, severity, group, before, limit)`,
		"active=maybe": `active "maybe" is neither true nor false`,
		"limit=0":      `limit "0" is not in 1 to 1000`,
		"limit=1001":   `limit "1001" is not in 1 to 1000`,
		"kind=cow":     `kind "cow" is not watched (allowed: cluster, container, host, host_admin, network, nic, public_ip, snapshot, template, vm, volume, subscription)`,
		"name=sick":    `name "sick" is no rule (allowed: disagreement, failure_rate, flapping, orphan, parked, stuck, unclaimed, wrong_provider, zombie)`,
		"limit=x":      `limit "x" is not in 1 to 1000`,
		"before=x":     `before "x" is no alert's id`,
	} {
		if status, _, body := get(query); status != 400 || !strings.Contains(fmt.Sprint(body["error"]), want) {
			t.Errorf("%s: %d %v, want %s", query, status, body, want)
		}
	}
}
