package main

import (
	"strings"
	"testing"
)

func TestAnActionIsRecordedFromItsBeginningToItsEnd(t *testing.T) {
	startServer(t)
	must(t, "create", "vm", "id=web1", "tenant=acme")
	must(t, "fire", "vm", "web1", "start_requested", "--action", "start", "--actor", "user:42", "--wait", "running")
	got := must(t, "events", "list", "--type", "action.>")
	for _, status := range []string{"scheduled", "started", "succeeded"} {
		if !strings.Contains(got, "action.vm.start."+status) {
			t.Errorf("%s is missing: %s", status, got)
		}
	}
	if got := must(t, "actions"); got != "ACTION  RESOURCE  TENANT  ACTOR  STATUS  SINCE  CORRELATION\n" {
		t.Errorf("still open: %s", got)
	}
	if got := cbctl(t, "fire", "vm", "web1", "pause_requested", "--action", "Pause!"); got.code != exitRefused || !strings.Contains(got.stderr, "verb") {
		t.Errorf("%d %s%s", got.code, got.stdout, got.stderr)
	}
}
