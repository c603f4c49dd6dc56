package eventlog_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
)

func TestOptionsThatAreWrongAreNamed(t *testing.T) {
	h := open(t, `{}`)
	h.stop()
	for config, want := range map[string]string{
		`{"levels": [{"type": "vm.>", "level": "fatal"}]}`:                         `levels[0].level is "fatal" (allowed: info, warning, error)`,
		`{"levels": [{"type": "vm..", "level": "info"}]}`:                          "levels[0].type",
		`{"levels": [{"type": "vm.>", "level": "info", "field": "to"}]}`:           `levels[0].field is "to", and is says nothing`,
		`{"levels": [{"type": "vm.>", "level": "info", "is": ["x"]}]}`:             "levels[0].is is given without a field",
		`{"retention": [{"type": ">", "keep": "1h"}, {"type": "", "keep": "1h"}]}`: "retention[1].type",
		`{"retention": [{"type": ">", "keep": "-1h"}]}`:                            "retention[0].keep is -1h0m0s, neither 0 (for ever) nor 1s or more",
		`{"archived_retention": [{"type": ">", "keep": "1ms"}]}`:                   "archived_retention[0].keep is 1ms",
		`{"sweep_every": "10ms"}`:                                                  "sweep_every is 10ms, below 1s",
		`{"linger": "2s"}`:                                                         "linger is 2s, above 1s",
		`{"effort": -1}`:                                                           "effort is -1, not in 1 to",
	} {
		_, err := h.tryStart(config)
		var refused *eventlog.OptionError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", config, err, want)
		}
	}
	_, err := h.tryStart(`{"retention": [{"type": ">", "keeps": "1h"}]}`)
	var unknown *plugins.ConfigError
	if !errors.As(err, &unknown) || unknown.Key != "retention[0].keeps" {
		t.Errorf("an unknown key: %v", err)
	}
}
