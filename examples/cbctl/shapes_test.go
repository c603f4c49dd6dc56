package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// shapes are answers as the server gives them when there is much to say.
var shapes = map[string]string{
	"/v1/eventlog/chains": `{"correlation_id":"req-1","events":4,"roots":[{"event":{"seq":1,"id":"01890a5d-ac96-774b-bcce-b302099a8051","type":"vm.state.destroyed","kind":"vm","resource_id":"web1","tenant":"acme","actor":"user:42","time":"2026-01-02T03:04:05Z","level":"info","data":{"from":"stopped","to":"destroyed"}},
		"children":[{"event":{"seq":2,"id":"01890a5d-ac96-774b-bcce-b302099a8052","type":"nic.state.releasing","kind":"nic","resource_id":"n1","time":"2026-01-02T03:04:06Z","data":{}},
		"children":[{"event":{"seq":4,"type":"nic.state.allocated","kind":"nic","resource_id":"n1","time":"2026-01-02T03:04:07Z"},"cycle":true}]},
		{"event":{"seq":3,"type":"volume.state.detaching","kind":"volume","resource_id":"d\u001b[2J","time":"2026-01-02T03:04:06Z"}}]},
		{"missing":"01890a5d-ac96-774b-bcce-b302099a8059","children":[{"event":{"seq":5,"type":"x.failed","time":"2026-01-02T03:04:06Z","data":{"error":"no"}}}]}]}`,
	"/v1/eventlog": `{"events":[{"seq":7,"id":"01890a5d-ac96-774b-bcce-b302099a8057","type":"vm.stuck","schema":1,"source":"cloudbus/x","kind":"vm","resource_id":"web1","time":"2026-01-02T03:04:05Z","level":"warning","data":{"message":"starting for 10m"}}]}`,
	"/v1/alerts": `{"alerts":[{"id":"01890a5d-ac96-774b-bcce-b302099a8053","name":"stuck","severity":"critical","kind":"vm","scope":"host_id=h1","message":"many are stuck","raised_at":"2026-01-02T03:04:05Z","last_at":"2026-01-02T03:05:05Z","count":40,"members":{"active":39,"first":["vm/a"]},"acknowledged":{"by":"user:42","at":"2026-01-02T03:06:05Z"}},
		{"id":"01890a5d-ac96-774b-bcce-b302099a8052","name":"host_down","severity":"warning","kind":"host","resource_id":"h1","message":"away","raised_at":"2026-01-02T03:04:05Z","last_at":"2026-01-02T03:04:05Z","count":1},
		{"id":"01890a5d-ac96-774b-bcce-b302099a8051","name":"stuck","severity":"info","kind":"vm","resource_id":"a","message":"x","raised_at":"2026-01-01T03:04:05Z","last_at":"2026-01-01T03:04:05Z","count":1,"cleared_at":"2026-01-01T04:04:05Z"}]}`,
	"/v1/alerts/01890a5d-ac96-774b-bcce-b302099a8052":             `{"id":"01890a5d-ac96-774b-bcce-b302099a8052","name":"host_down","severity":"warning","count":1,"notices":[{"what":"raised","at":"2026-01-02T03:04:05Z","message":"away","count":1},{"what":"acknowledged","at":"2026-01-02T03:05:05Z","message":"away","count":1,"by":"user:42","note":"disk is ordered"}]}`,
	"/v1/alerts/01890a5d-ac96-774b-bcce-b302099a8052/acknowledge": `{"id":"01890a5d-ac96-774b-bcce-b302099a8052"}`,
	"/v1/alerts/rules":                `{"rules":[{"name":"stuck","type":"stuck","severity":"warning","kinds":["vm","nic"],"active":40,"acknowledged":1},{"name":"memory","type":"capacity","severity":"critical","active":0,"acknowledged":0,"disabled":true,"capacities":[{"scope":"z1","used":3,"total":4,"percent":75}]},{"name":"failures","type":"failure_rate","active":0,"acknowledged":0,"rates":[{"kind":"vm","succeeded":3,"failed":1,"percent":25}]}]}`,
	"/v1/actions":                     `{"actions":[{"id":"01890a5d-ac96-774b-bcce-b302099a8051","kind":"vm","verb":"start","resource_id":"web1","tenant":"acme","actor":"user:42","correlation_id":"req-1","owner":"x","scheduled_at":"2026-01-02T03:04:05Z","started_at":"2026-01-02T03:04:06Z"},{"id":"01890a5d-ac96-774b-bcce-b302099a8052","kind":"vm","verb":"stop","actor":"api","correlation_id":"req-2","owner":"x","scheduled_at":"2026-01-02T03:04:05Z"}]}`,
	"/v1/queues":                      `{"queues":[{"name":"mailer","kind":"durable","state":"running","depth":1,"lag":2,"parked":3,"delivered":4,"dropped":0,"failed":6,"filter":"type=vm.>"},{"name":"old","kind":"batch","state":"halted","error":"it is broken"}]}`,
	"/v1/queues/mailer/parked":        `{"resources":[{"kind":"vm","id":"web1","events":2,"first":17,"type":"vm.created","error":"no route","tries":3,"parked_at":"2026-01-02T03:04:05Z"},{"events":1,"first":18,"type":"tick","error":"no route","tries":1,"parked_at":"2026-01-02T03:04:05Z"}]}`,
	"/v1/queues/mailer/parked/events": `{"events":[{"seq":17,"type":"vm.created","subject":"vm/web1","error":"no route","tries":3,"parked_at":"2026-01-02T03:04:05Z"},{"seq":19,"type":"vm.updated","subject":"vm/web1","error":"waits behind an earlier event of its resource","tries":0,"parked_at":"2026-01-02T03:04:05Z"}]}`,
	"/v1/queues/mailer/replay":        `{"done":1,"left":2,"error":"no route"}`,
	"/v1/queues/mailer/discard":       `{"discarded":2}`,
	"/v1/resources/vm/web1/fire":      `{"action":"moved","kind":"vm","resource_id":"web1","trigger":"start_requested","from":"stopped","to":"starting"}`,
	"/v1/usage/reconcile":             `{"at":"2026-01-02T03:04:05Z","kinds":["vm","volume"],"live":["vm"],"resources":3,"intervals":4,"events":5,"faults":1,"pending":0,"differences":[{"against":"resource","kind":"vm","resource_id":"web1","meter":"vm.running","reason":"it runs, and no interval is open","is":null,"should":{"tenant":"acme","size":{"cpus":2}},"seq":7}]}`,
}

func TestWhatTheServerSaysLooksAsItShould(t *testing.T) {
	var asked []string
	stub(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("X-Action")+" "+string(body)))
		answer, there := shapes[r.URL.Path]
		if !there {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	})
	shown := session(t, `
events chain req-1
events chain --event 01890a5d-ac96-774b-bcce-b302099a8051
events search 'quota exceeded' --level error,warning --id web1 --kind vm --archived all --limit 7
events search -o cloudevents
alerts --active --acknowledged=false --id h1
alerts show 01890a5d-ac96-774b-bcce-b302099a8052
alerts ack 01890a5d-ac96-774b-bcce-b302099a8052 --note 'disk is ordered' --actor user:42
alerts rules
actions --verb start --id web1
queues
queues parked mailer
queues parked mailer vm/web1
queues parked mailer --events
queues replay mailer vm web1
queues replay mailer --all
queues discard mailer --seq 17,19
queues discard mailer vm web1
usage reconcile
fire vm web1 start_requested --action start
`)
	golden(t, "shapes.txt", shown+"\n"+strings.Join(asked, "\n")+"\n")
}
