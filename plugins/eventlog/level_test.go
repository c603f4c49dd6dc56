package eventlog_test

import (
	"testing"

	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
)

func TestLevels(t *testing.T) {
	h := open(t, `{"levels": [{"type": "volume.>", "level": "error"}, {"type": "vm.created", "field": "resource.cpus", "is": ["64"], "level": "warning"}]}`)
	type m = map[string]any
	for _, c := range []struct {
		typ  string
		data any
		want string
	}{
		{"vm.created", m{"resource": m{"cpus": 2}}, eventlog.Info},
		{"vm.created", m{"resource": m{"cpus": 64}}, eventlog.Warning},
		{"vm.created", m{"resource": 64}, eventlog.Info},
		{"volume.created", m{}, eventlog.Error},
		{"vm.stuck", m{}, eventlog.Warning},
		{"vm.state.running", m{"trigger": "operation_succeeded", "to": "running"}, eventlog.Info},
		{"vm.state.stopped", m{"trigger": "operation_failed", "to": "stopped"}, eventlog.Warning},
		{"vm.state.error", m{"trigger": "creation_failed", "to": "error"}, eventlog.Error},
		{"vm.state.stopped", m{"trigger": "stop_requested", "reason": "operation_failed"}, eventlog.Info},
		{"action.vm.start.failed", m{}, eventlog.Error},
		{"action.vm.start.succeeded", m{}, eventlog.Info},
		{"alert.host_down.raised", m{"severity": "critical"}, eventlog.Error},
		{"alert.host_down.raised", m{"severity": "warning"}, eventlog.Warning},
		{"alert.host_down.raised", m{}, eventlog.Warning},
		{"alert.host_down.cleared", m{"severity": "critical"}, eventlog.Info},
		{"status.vm.refused", m{}, eventlog.Warning},
	} {
		h.record(say(c.typ, "x", c.data))
		if got := h.list(eventlog.Query{Limit: 1}).Events[0]; got.Level != c.want {
			t.Errorf("%s %v is %s, want %s", c.typ, c.data, got.Level, c.want)
		}
	}
}
