package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestAlertsAreShownAndAcknowledged(t *testing.T) {
	startServer(t, "-fail-rate", "1")
	for i := range 6 { // more than the rule failure_rate puts up with
		id := fmt.Sprint("v", i)
		must(t, "create", "vm", "id="+id)
		must(t, "fire", "vm", id, "start_requested", "--wait", "steady")
	}
	eventually(t, "failure_rate", "alerts --active --name failure_rate")
	line, _, _ := strings.Cut(must(t, "alerts", "--active", "--name", "failure_rate", "-o", "json"), "\n")
	var one alert
	if err := json.Unmarshal([]byte(line), &one); err != nil || one.ID == "" {
		t.Fatalf("%s: %v", line, err)
	}
	if got := must(t, "alerts", "ack", one.ID, "--note", "new disk", "--actor", "user:42"); got != one.ID+" is taken care of by user:42\n" {
		t.Errorf("acknowledged: %s", got)
	}
	if got := must(t, "alerts", "--acknowledged"); !strings.Contains(got, "user:42 cares") {
		t.Errorf("acknowledged ones: %s", got)
	}
	shown := must(t, "alerts", "show", one.ID)
	if !strings.Contains(shown, "WHAT") || !strings.Contains(shown, "raised") || !strings.Contains(shown, "new disk") {
		t.Errorf("shown: %s", shown)
	}
	if got := must(t, "alerts", "rules"); !strings.Contains(got, "failure_rate") || !strings.Contains(got, "vm 100 %") {
		t.Errorf("rules: %s", got)
	}
	for line, says := range map[string]string{
		"alerts show x": `"x" is no alert's id`,
		"alerts show 01890a5d-ac96-774b-bcce-b302099a8057": "no such alert",
		"alerts --severity loud":                           "loud",
	} {
		if got := cbctl(t, words(line)...); got.code != exitRefused || !strings.Contains(got.stderr, says) {
			t.Errorf("%s: %d %s%s, want %q", line, got.code, got.stdout, got.stderr, says)
		}
	}
}
