package alerts_test

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/alerts"
)

func TestWrongOptions(t *testing.T) {
	for _, c := range []struct {
		name    string
		options alerts.Options
		config  string
		want    string
	}{
		{name: "unknown key", config: `{"stuk": {}}`, want: `key "stuk": is unknown (allowed: failure_rate, history, history_max, stuck, unclaimed)`},
		{name: "unknown key inside", config: `{"failure_rate": {"windw": "5m"}}`,
			want: `key "failure_rate.windw": is unknown (allowed: clear_percent, disabled, min_failures, raise_percent, severity, window)`},
		{name: "no duration", config: `{"failure_rate": {"window": "5"}}`, want: `"5" is no duration`},
		{name: "number as duration", config: `{"failure_rate": {"window": 5}}`, want: `failure_rate.window`},
		{name: "short window", config: `{"failure_rate": {"window": "1ms"}}`, want: `option failure_rate.window is below 1s`},
		{name: "negative", config: `{"failure_rate": {"min_failures": -1}}`, want: `failure_rate.min_failures is not above 0`},
		{name: "zero", config: `{"failure_rate": {"min_failures": 0}}`, want: `failure_rate.min_failures is not above 0`},
		{name: "no window", config: `{"failure_rate": {"window": "0s"}}`, want: `failure_rate.window is below 1s`},
		{name: "over 100", config: `{"failure_rate": {"raise_percent": 101}}`, want: `failure_rate.raise_percent is not in 1 to 100`},
		{name: "no hysteresis", config: `{"failure_rate": {"raise_percent": 20, "clear_percent": 30}}`, want: `failure_rate.clear_percent is not in 1 to raise_percent`},
		{name: "severity", config: `{"stuck": {"severity": "bad"}}`, want: `option stuck.severity is "bad" (allowed: info, warning, critical)`},
		{name: "limits, which are the engine's", config: `{"stuck": {"limits": {}}}`, want: `key "stuck.limits": is unknown (allowed: disabled, severity)`},
		{name: "history", config: `{"history": "1m"}`, want: `option history is below 1h`},
		{name: "no history", config: `{"history_max": 0}`, want: `option history_max is not above 0`},
		{name: "over no rule", options: alerts.Options{Rules: []alerts.Rule{}}, config: `{"stuck": {"disabled": true}}`, want: `option stuck goes over a rule that isn't there`},
		{name: "nil machine", options: alerts.Options{Machines: []*fsm.Machine{nil}}, want: `option Machines has one that is nil`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, b := openStore(t, nil)
			o := plugins.Options{Bus: b, Logger: slog.New(slog.DiscardHandler), Config: map[string]json.RawMessage{alerts.Name: json.RawMessage(c.config)}}
			m, err := plugins.NewManager(o)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Add(alerts.New(c.options), plugins.Required()); err != nil {
				t.Fatal(err)
			}
			err = m.Start(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("start: %v\nwant %s", err, c.want)
			}
		})
	}
}
