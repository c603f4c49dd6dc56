package bridge_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
)

func TestFilters(t *testing.T) {
	for name, c := range map[string]struct {
		options bridge.Options
		want    string
	}{
		"all":             {bridge.Options{}, "1 2 3 4"},
		"types":           {bridge.Options{Types: []string{"thing.created", "thing.gone.*"}}, "1 3"},
		"tenants":         {bridge.Options{Tenants: []string{"acme"}}, "1 2"},
		"no tenant":       {bridge.Options{Tenants: []string{""}}, "4"},
		"types & tenants": {bridge.Options{Types: []string{"thing.created"}, Tenants: []string{"acme", ""}}, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			sink := &fakeSink{}
			h := newHouse(t, memstore.New(memstore.Options{}), sink, c.options)
			h.record(fact{"acme", "x", "created", 1}, fact{"acme", "x", "updated", 2}, fact{"evil", "x", "gone.now", 3}, fact{"", "x", "updated", 4})
			must(t, h.bus.Flush(t.Context()))
			var got []string
			for _, f := range facts(t, sink.messages()) {
				got = append(got, fmt.Sprint(f.N))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("sent %v, want %s", got, c.want)
			}
		})
	}
}

func TestBadOptions(t *testing.T) {
	for option, o := range map[string]bridge.Options{
		"Name":    {Name: "Not-A-Name"},
		"Lanes":   {Lanes: -1},
		"Types":   {Types: []string{"vm.>", "vm.>.x"}},
		"Mode":    {Mode: bridge.Binary + 1},
		"Window":  {Window: -1},
		"Schemas": {Schemas: "/v1/schemas/"},
	} {
		var wrong *bridge.OptionError
		if _, err := bridge.New(&fakeSink{}, o); !errors.As(err, &wrong) || wrong.Option != option {
			t.Errorf("%+v: %v, want an OptionError of %s", o, err, option)
		}
	}
	var wrong *bridge.OptionError
	for _, sink := range []bridge.Sink{nil, (*fakeSink)(nil)} {
		if _, err := bridge.New(sink, bridge.Options{}); !errors.As(err, &wrong) || wrong.Option != "sink" {
			t.Errorf("no sink: %v", err)
		}
	}
	if _, err := bridge.New(&fakeSink{}, bridge.Options{Lanes: 1 << 20}); !errors.As(err, &wrong) {
		t.Errorf("a million lanes: %v", err)
	}
}
