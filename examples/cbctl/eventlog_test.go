package main

import (
	"strings"
	"testing"
)

func TestTheEventLogIsSearchedAndChainsAreFollowed(t *testing.T) {
	startServer(t)
	must(t, "create", "vm", "id=web1", "tenant=acme")
	must(t, "fire", "vm", "web1", "start_requested", "--reason", "over quota", "--actor", "user:42", "--wait", "running")
	found := eventually(t, "vm.state.starting", "events search quota --kind vm --id web1")
	if strings.Count(found, "\n") != 1 || !strings.Contains(found, "(over quota)") {
		t.Errorf("search: %s", found)
	}
	listed := must(t, "events", "list", "--type", "vm.state.starting", "-o", "cloudevents")
	if got := must(t, "events", "search", "quota", "-o", "cloudevents"); got != listed {
		t.Errorf("of the log: %s\nof the journal: %s", got, listed)
	}
	_, rest, _ := strings.Cut(listed, `"correlationid":"`)
	correlation, _, _ := strings.Cut(rest, `"`)
	chain := eventually(t, "usage.vm.running.opened", "events chain "+correlation)
	for _, says := range []string{correlation + "\n", "\n└─ vm.state.starting  vm/web1  acme by user:42  stopped → starting", "\n   └─ vm.state.running  vm/web1", "\n      └─ usage.vm.running.opened  vm/web1"} {
		if !strings.Contains(chain, says) {
			t.Errorf("%q is missing in the chain:\n%s", says, chain)
		}
	}
	if got := must(t, "events", "search", "--order", "oldest", "--limit", "2"); strings.Count(got, "\n") != 2 || !strings.Contains(got, "vm.created") {
		t.Errorf("the oldest: %s", got)
	}
	for line, says := range map[string]string{
		"events search --level loud": "(allowed: info",
		"events chain nope":          "not found",
		"events chain --event x":     `"x" is no event's id`,
	} {
		if got := cbctl(t, words(line)...); got.code != exitRefused || !strings.Contains(got.stderr, says) {
			t.Errorf("%s: %d %s%s, want %q", line, got.code, got.stdout, got.stderr, says)
		}
	}
}
