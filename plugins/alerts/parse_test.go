package alerts_test

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/alerts"
)

func TestParseRules(t *testing.T) {
	got, err := alerts.ParseRules([]byte(`
rules:
  - name: cpu
    type: capacity
    used: {kind: vm, field: cpus, states: [running, paused]}
    total: {kind: host, field: cpus, states: [up]}
    by: zone_id
    raise_percent: 75 %
    clear_percent: 70
    renotify: 4h
  - {name: many, type: flapping, kinds: [vm], above: 0, window: 1h30m, disabled: true, group: {above: 50, by: [host_id]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []alerts.Rule{
		{
			Name: "cpu", Type: alerts.CapacityRule, By: "zone_id", RaisePercent: 75, ClearPercent: 70, Renotify: 4 * hour,
			Used:  &alerts.Sum{Kind: "vm", Field: "cpus", States: []fsm.State{"running", "paused"}},
			Total: &alerts.Sum{Kind: "host", Field: "cpus", States: []fsm.State{"up"}},
		},
		{
			Name: "many", Type: alerts.FlappingRule, Kinds: []string{"vm"}, Window: plugins.Duration(90 * time.Minute), Disabled: true,
			Group: &alerts.Group{Above: 50, By: []string{"host_id"}},
		},
	}
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Errorf("got\n%s, want\n%s", a, b)
	}
	if _, err := alerts.ParseRules([]byte("rules: []")); err != nil {
		t.Errorf("no rules: %v", err)
	}
}

func TestTheServersRulesAreRight(t *testing.T) {
	text, err := os.ReadFile("../../examples/server/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if rules, err := alerts.ParseRules(text); err != nil || len(rules) < 8 {
		t.Errorf("%d rules, %v", len(rules), err)
	}
}

func TestWrongRules(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "is no YAML: there is nothing"},
		{"no YAML", "rules: [\n", "is no YAML"},
		{"a list", "- name: x", `line 1: the text is a list, not a mapping with the key rules`},
		{"another key", "rulez: []", `line 1: "rulez" is unknown (allowed: rules)`},
		{"two documents", "rules: []\n---\nrules: []\n", "a second document begins"},
		{"no list", "rules: 5", `line 1: rules is "5", not a list`},
		{"no rule", "rules: [5]", `a rule is "5", not a mapping`},
		{"no name", "rules: [{type: stuck}]", "name of rule 1 is missing"},
		{"bad name", "rules: [{name: A.b, type: stuck}]", `rule "A.b": name doesn't match`},
		{"twice", "rules:\n- {name: a, type: stuck}\n- {name: a, type: stuck}", `line 3: rule "a": name is that of another rule`},
		{"no type", "rules: [{name: a}]", `rule "a": type "" is no type of rule (allowed: capacity, disagreement, event, failure_rate,`},
		{"type", "rules:\n- name: a\n  type: sick", `line 3: rule "a": type "sick" is no type of rule (allowed: capacity, disagreement, event, failure_rate, flapping, host_down, orphan, parked, stuck, unclaimed, zombie)`},
		{"unknown field", "rules:\n- name: a\n  type: stuck\n  kindz: [vm]", `line 4: rule "a": "kindz" is unknown (allowed: above, by, clear_at, clear_percent, disabled,`},
		{"field of another type", "rules:\n- name: a\n  type: stuck\n  window: 5m", `line 4: rule "a": window is nothing that a rule of type stuck has (allowed: disabled, group, kinds, name, renotify, severity, states, type)`},
		{"given twice", "rules:\n- name: a\n  type: stuck\n  type: stuck", `type`},
		{"severity", "rules:\n- {name: a, type: stuck,\n  severity: bad}", `line 3: rule "a": severity is "bad" (allowed: info, warning, critical)`},
		{"kind", "rules:\n- name: a\n  type: stuck\n  kinds: [cow]", `line 4: rule "a": kinds "cow" is no kind (allowed: cluster, container, host,`},
		{"state", "rules:\n- {name: a, type: stuck, kinds: [vm], states: [dancing]}", `rule "a": states "dancing" is no state of vm (allowed: destroyed, error, expunged,`},
		{"steady", "rules:\n- {name: a, type: stuck, kinds: [vm], states: [running]}", `a resource can't be stuck in "running", which isn't transitional`},
		{"trigger", "rules:\n- {name: a, type: zombie, kinds: [vm], triggers: [dance]}", `triggers "dance" is no trigger of vm (allowed: `},
		{"no operation", "rules:\n- {name: a, type: failure_rate, kinds: [vm], triggers: [report_running]}", `"report_running" begins no operation`},
		{"field", "rules:\n- {name: a, type: capacity, used: {kind: vm, field: cpu}, total: {kind: host, field: cpus}}", `used.field "cpu" is no field of vm that is a whole number (allowed: cpus, memory_mib)`},
		{"field of text", "rules:\n- {name: a, type: capacity, used: {kind: vm, field: zone_id}, total: {amount: 5}}", `used.field "zone_id" is no field of vm that is a whole number`},
		{"no total", "rules:\n- {name: a, type: capacity, used: {kind: vm}}", `total is missing`},
		{"two totals", "rules:\n- {name: a, type: capacity, used: {kind: vm}, total: {kind: host, amount: 5}}", `total has an amount and a kind`},
		{"amount used", "rules:\n- {name: a, type: capacity, used: {amount: 4}, total: {amount: 5}}", `used.amount is for total only`},
		{"no amount", "rules:\n- {name: a, type: capacity, used: {kind: vm}, total: {amount: 0}}", `total.amount is 0`},
		{"by", "rules:\n- {name: a, type: capacity, used: {kind: vm}, total: {kind: host}, by: host_id}", `by "host_id" is no field of text of host`},
		{"no unit", "rules:\n- {name: a, type: flapping,\n  window: 5}", `line 3: rule "a": window is "5", not a duration with its unit such as "30s", "5m" or "1h30m"`},
		{"wrong unit", "rules:\n- {name: a, type: flapping, window: 5 parsecs}", `window is "5 parsecs", not a duration with its unit such as "30s", "5m" or "1h30m" (allowed: ns, us, ms, s, m, h)`},
		{"percent of what", "rules:\n- {name: a, type: failure_rate, raise_percent: 75 GiB}", `raise_percent is "75 GiB", not a whole number of percent`},
		{"a part", "rules:\n- {name: a, type: failure_rate, raise_percent: 0.75}", `raise_percent is "0.75", not a whole number of percent`},
		{"a number as text", "rules:\n- {name: a, type: flapping, above: \"5\"}", `above is "5", not a whole number`},
		{"over 100", "rules:\n- {name: a, type: failure_rate, raise_percent: 101}", `raise_percent is 101: not in 1 to 100`},
		{"no hysteresis", "rules:\n- {name: a, type: failure_rate, raise_percent: 20, clear_percent: 30}", `clear_percent is 30: not in 1 to raise_percent`},
		{"zero is meant", "rules:\n- {name: a, type: failure_rate, min_failures: 0}", `min_failures is not above 0`},
		{"short window", "rules:\n- {name: a, type: flapping, window: 1ms}", `window is 1ms: must be 1s or more`},
		{"renotify", "rules:\n- {name: a, type: stuck, renotify: 1s}", `renotify is 1s: must be 1m or more`},
		{"longer than time", "rules:\n- {name: a, type: flapping, window: 2500000h}", `window is 2500000h0m0s: must be 1s or more, up to 876000h0m0s`},
		{"never again", "rules:\n- {name: a, type: stuck, renotify: 2500000h}", `renotify is 2500000h0m0s: must be 1m or more, up to 876000h0m0s`},
		{"away for ever", "rules:\n- {name: a, type: host_down, for: 2500000h}", `for is 2500000h0m0s: must be 1s or more, up to 876000h0m0s`},
		{"above", "rules:\n- {name: a, type: flapping, above: 1001}", `above is 1001: must be 0 to 1000`},
		{"clear at", "rules:\n- {name: a, type: flapping, above: 3, clear_at: 4}", `clear_at is 4: must be 0 to above, which is 3`},
		{"group", "rules:\n- {name: a, type: stuck, group: {above: 5, below: 5}}", `group.below is 5: must be 0 or more, and less than above`},
		{"group of one", "rules:\n- {name: a, type: stuck, group: {above: 1}}", `group.above is 1: must be 2 to 1000`},
		{"group by", "rules:\n- {name: a, type: stuck, kinds: [vm], group: {by: [moon]}}", `group.by "moon" is no field of text of vm`},
		{"alerts themselves", "rules:\n- {name: a, type: event, events: [alert.stuck.raised]}", `"alert.stuck.raised" could match alert.>`},
		{"everything", "rules:\n- {name: a, type: event, events: [\">\"]}", `">" could match alert.>`},
		{"some of everything", "rules:\n- {name: a, type: event, events: [\"*.stuck.>\"]}", `"*.stuck.>" could match alert.>`},
		{"no pattern", "rules:\n- {name: a, type: event, events: [a..b]}", `empty token`},
		{"no events", "rules:\n- {name: a, type: event}", `events is missing`},
		{"kind alert", "rules:\n- {name: a, type: stuck, kinds: [alert]}", `kinds "alert" is no kind`},
		{"alias", "rules:\n- {name: a, type: stuck, kinds: &k [vm]}\n- {name: b, type: stuck, kinds: *k}", `is an alias or has an anchor`},
		{"empty list", "rules:\n- {name: a, type: stuck, kinds: []}", `kinds is an empty list`},
		{"no text", "rules:\n- {name: a, type: 5}", `type is "5", not a text`},
		{"disabled", "rules:\n- {name: a, type: stuck, disabled: maybe}", `disabled is "maybe" (allowed: true, false)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules, err := alerts.ParseRules([]byte(c.text))
			var wrong *alerts.RulesError
			if !errors.As(err, &wrong) || rules != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
		})
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	_, err := alerts.ParseRules([]byte(`rules:
  - name: one
    type: stuck
    severity: bad
    kinds: [cow]
  - name: two
    type: flapping
    windov: 5m
    window: 5
  - name: three
    type: sick
`))
	wrong, ok := errors.AsType[*alerts.RulesError](err)
	if !ok {
		t.Fatal(err)
	}
	var lines []int
	for _, f := range wrong.Faults {
		lines = append(lines, f.Line)
	}
	if !slices.Equal(lines, []int{4, 5, 8, 9, 11}) {
		t.Errorf("lines %v: %v", lines, err)
	}
}

func TestWrongRulesInGo(t *testing.T) {
	for want, rule := range map[string]alerts.Rule{
		`rule "a": window is nothing that a rule of type stuck has`:            {Name: "a", Type: alerts.StuckRule, Window: hour},
		`"alert.>" could match alert.>`:                                        {Name: "a", Type: alerts.EventRule, Events: []string{"alert.>"}},
		`option Engine is missing, which the rule "a" of type host_down needs`: {Name: "a", Type: alerts.HostDownRule},
	} {
		_, b := openStore(t, nil)
		m, err := plugins.NewManager(plugins.Options{Bus: b})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Add(alerts.New(alerts.Options{Rules: []alerts.Rule{rule}}), plugins.Required()); err != nil {
			t.Fatal(err)
		}
		if err := m.Start(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("start: %v\nwant %s", err, want)
		}
	}
}

func TestDefaultRulesAreRight(t *testing.T) {
	c := openCloud(t)
	all, err := c.watch.Rules(t.Context())
	if err != nil || len(all) != len(alerts.DefaultRules()) {
		t.Errorf("%d rules of %d, %v", len(all), len(alerts.DefaultRules()), err)
	}
}

func FuzzParseRules(f *testing.F) {
	f.Add([]byte("rules:\n- {name: a, type: capacity, used: {kind: vm, field: cpus}, total: {amount: 5}, by: zone_id}\n"))
	f.Add([]byte("rules:\n- name: a\n  type: flapping\n  window: 5m\n  group: {by: [host_id], above: 50}\n- &x [*x]\n"))
	f.Add([]byte(`{"rules": [{"name": "z", "type": "zombie", "kinds": ["vm"], "states": ["expunged"], "renotify": "1h"}]}`))
	f.Add([]byte("rules: [{name: a, type: event, events: [action.*.*.failed], above: 3, clear_at: 0, raise_percent: 75 %}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		rules, err := alerts.ParseRules(text)
		if err != nil {
			if wrong, ok := errors.AsType[*alerts.RulesError](err); !ok || len(wrong.Faults) == 0 || rules != nil {
				t.Fatalf("%v, %v", rules, err)
			}
			return
		}
		// What is right is right when it is written as JSON, and means the same.
		again, err := json.Marshal(map[string]any{"rules": rules})
		if err != nil {
			t.Fatal(err)
		}
		back, err := alerts.ParseRules(again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		once, _ := json.Marshal(rules)
		twice, _ := json.Marshal(back)
		if !reflect.DeepEqual(once, twice) {
			t.Fatalf("%s\n%s", once, twice)
		}
	})
}
