package usage_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func TestHTTP(t *testing.T) {
	h := open(t)
	id := h.create("=cmd()", 2, at(0))
	h.fire(id, vm.DestroyRequested, at(1.5))
	h.settle()
	for _, c := range []struct {
		name, query string
		status      int
		want        string
	}{
		{"all", "", 200, `"rows":[{"tenant":"=cmd()","kind":"vm","meter":"vm.allocated","cpus":2,"memory_mib":1024,"seconds":1.5,"corrections":0,"total":1.5,"intervals":1,"open":0}]`},
		{"window", "from=2026-05-01T12:00:01Z&to=2026-05-01T12:00:02Z", 200, `{"from":"2026-05-01T12:00:01Z","to":"2026-05-01T12:00:02Z","rows":[{"tenant":"=cmd()","kind":"vm","meter":"vm.allocated","cpus":2,"memory_mib":1024,"seconds":0.5,`},
		{"by", "by=resource", 200, `"rows":[{"resource_id":"` + id + `","seconds":1.5,"corrections":0,"total":1.5,"intervals":1,"open":0}]`},
		{"empty", "tenant=nobody", 200, `"rows":[]`},
		{"unknown parameter", "form=x", 400, `unknown parameter \"form\" (allowed: from, to, tenant, kind, meter, resource, by, bucket, tz, format)`},
		{"twice", "kind=vm&kind=nic", 400, `given 2 times`},
		{"inverted", "from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z", 400, `is not before to \"2026-05-01T00:00:00Z\"`},
		{"no time", "from=yesterday", 400, `from \"yesterday\" is no RFC 3339 time`},
		{"no zone", "to=2026-05-02T00:00:00", 400, `is no RFC 3339 time`},
		{"unknown kind", "kind=vms", 400, `kind \"vms\" is not metered (allowed: network, nic, public_ip, snapshot, template, vm, volume)`},
		{"unknown meter", "meter=vm.runing", 400, `meter \"vm.runing\" is unknown (allowed: network.implemented, nic.reserved, public_ip.allocated, snapshot.stored, template.stored, vm.allocated, vm.running, volume.allocated, volume.uploaded)`},
		{"unknown grouping", "by=tenant,colour", 400, `by \"colour\" is unknown (allowed: tenant, kind, meter, resource, size)`},
		{"grouping twice", "by=tenant,tenant", 400, `given twice`},
		{"unknown format", "format=xml", 400, `format \"xml\" is unknown (allowed: json, csv)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			h.manager.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/v1/usage?"+c.query, nil))
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("%d %s\nwant %d …%s…", w.Code, w.Body, c.status, c.want)
			}
			var body map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Errorf("not JSON: %v", err)
			}
			if _, ok := body["error"]; ok != (c.status != 200) {
				t.Errorf("body %s", w.Body)
			}
		})
	}
}
