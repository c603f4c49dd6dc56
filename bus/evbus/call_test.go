package evbus_test

import (
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/evbus"
)

func TestEventTypesOfTopics(t *testing.T) {
	for topic, want := range map[string]string{
		"order.paid":      "evbus.order.paid",
		"main:calculator": "evbus.main_3acalculator",
		"OrderPaid":       "evbus._4frder_50aid",
		"order_paid":      "evbus.order__paid",
		"a-b":             "evbus.a-b",
		"":                "evbus._",
		".":               "evbus._2e",
		"a..b":            "evbus.a._2eb",
		"a.":              "evbus.a_2e",
		"ä":               "evbus._c3_a4",
		"a.>":             "evbus.a._3e",
	} {
		if got := evbus.EventType("evbus", topic); got != want {
			t.Errorf("%q: %s, want %s", topic, got, want)
		}
	}
}

func FuzzEventType(f *testing.F) {
	for _, s := range []string{"", ".", "a.b", "a..b", "_", "__", "_2e", "A", "\x00", "a:b", "ä", "*", ">"} {
		f.Add(s, "a"+s)
		f.Add(s, "_2e")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		typ := evbus.EventType("evbus", a)
		if (typ == evbus.EventType("evbus", b)) != (a == b) {
			t.Fatalf("%q and %q: %s", a, b, typ)
		}
		p, err := bus.ParsePattern(typ)
		if err != nil || !p.Match(typ) || strings.ContainsAny(typ, "*>") {
			t.Fatalf("%q: %s: %v", a, typ, err)
		}
	})
}
