package main

import (
	"errors"
	"flag"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources/all"
)

func TestFlags(t *testing.T) {
	tests := []struct {
		name  string
		args  string
		check func(config) bool
	}{
		{"defaults", "", func(c config) bool {
			return c.listen == "127.0.0.1:8080" && !c.listenGiven && c.data == "./cloudbus-data" && c.level == slog.LevelInfo &&
				slices.Equal(c.bridge, eventsOfAllKinds())
		}},
		{"an address that was asked for", "-listen 127.0.0.1:8080", func(c config) bool { return c.listenGiven }},
		{"patterns with commas", "-bridge vm.>,usage.>", func(c config) bool { return slices.Equal(c.bridge, []string{"vm.>", "usage.>"}) }},
		{"replay", "-replay x.log -once -wait 5s", func(c config) bool { return c.replay == "x.log" && c.once && c.wait.Seconds() == 5 }},
		{"rules", "-alerts alerts.yaml", func(c config) bool { return c.alerts == "alerts.yaml" }},
		{"level", "-log warn", func(c config) bool { return c.level == slog.LevelWarn }},
		{"forget", "-retain 720h -purge 2160h", func(c config) bool { return c.retain.Hours() == 720 && c.purge.Hours() == 2160 }},
		{"never fail", "-fail-rate 0", func(c config) bool { return c.failRate == 0 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := parseFlags(strings.Fields(tt.args), io.Discard)
			if err != nil || !tt.check(c) {
				t.Errorf("parseFlags(%q) = %+v, %v", tt.args, c, err)
			}
		})
	}
}

func eventsOfAllKinds() (patterns []string) {
	for _, m := range all.Machines() {
		patterns = append(patterns, m.Kind()+".>")
	}
	return patterns
}

func TestWrongFlagsSayWhatIsWrong(t *testing.T) {
	tests := []struct{ args, says string }{
		{"-nosuch", "nosuch"},
		{"serve", `unexpected argument "serve"`},
		{"-once", "-replay FILE"},
		{"-nats nats://127.0.0.1:4222 -nats-listen 127.0.0.1:4222", "give one of them"},
		{"-fail-rate 2", "-fail-rate 2"},
		{"-fail-rate NaN", "-fail-rate NaN"},
		{"-operation-time -1s", "-operation-time -1s"},
		{"-retain -1h", "-retain -1h"},
		{"-purge -1h", "-purge -1h"},
		{"-wait 0s", "-wait 0s"},
		{"-seed -1", "seed"},
		{"-log loud", "loud"},
		{"-data=", "-data"},
		{"-data postgres://cloud@db/x", "-nats"},
		{"-bridge=", "-bridge"},
		{"-bridge vm.>,VM.>", "VM.>"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			var out strings.Builder
			if _, err := parseFlags(strings.Fields(tt.args), &out); err == nil {
				t.Fatalf("parseFlags(%q) took it", tt.args)
			}
			if !strings.Contains(out.String(), tt.says) || !strings.Contains(out.String(), "-operation-time") {
				t.Errorf("parseFlags(%q) wrote %q, without %q or the usage", tt.args, out.String(), tt.says)
			}
		})
	}
	if _, err := parseFlags([]string{"-help"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-help: %v", err)
	}
}
