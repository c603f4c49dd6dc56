package main

import (
	"strings"
	"testing"
	"time"
)

// eventually runs a command until what it prints says something: plugins follow the journal a little behind.
func eventually(t *testing.T, says, line string) string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		got := must(t, words(line)...)
		if strings.Contains(got, says) || time.Now().After(deadline) {
			if !strings.Contains(got, says) {
				t.Errorf("%s: %s\nwant %q", line, got, says)
			}
			return got
		}
	}
}

func TestUsageIsReportedAndCorrected(t *testing.T) {
	startServer(t)
	must(t, "create", "vm", "id=web1", "tenant=acme", "cpus=2")
	must(t, "fire", "vm", "web1", "start_requested", "--wait", "running")
	report := eventually(t, "vm.running", "usage --by tenant,meter")
	if lines := strings.Split(report, "\n"); !strings.HasPrefix(lines[0], "the beginning to ") || !strings.HasPrefix(lines[1], "TENANT  METER") || !strings.HasPrefix(lines[2], "acme    vm.allocated") {
		t.Errorf("report:\n%s", report)
	}
	if got := must(t, "usage", "--by", "meter", "-o", "csv"); !strings.HasPrefix(got, "from,to,tenant,") || !strings.Contains(got, ",vm.running,") {
		t.Errorf("CSV: %s", got)
	}
	if got := must(t, "usage", "--by", "meter", "-o", "json"); !strings.HasPrefix(got, `{"to":`) {
		t.Errorf("JSON: %s", got)
	}
	if got := must(t, "usage", "--tenant", "nobody"); !strings.HasSuffix(got, "nothing was used\n") {
		t.Errorf("nothing: %s", got)
	}
	day := time.Now().UTC().Format(time.DateOnly)
	if got := must(t, "usage", "--from", day, "--to", time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly), "--bucket", "day", "--tz", "UTC", "--by", "meter"); !strings.Contains(got, "FROM") || !strings.Contains(got, day) {
		t.Errorf("by day: %s", got)
	}

	entered := must(t, "usage", "correct", "key=ticket-17", "meter=vm.running", "tenant=acme", "seconds=-3600", "reason=outage of zone 2", "--actor", "user:42")
	if !strings.HasSuffix(entered, " entered: -3600 s of vm.running\n") {
		t.Errorf("correction: %s", entered)
	}
	list := must(t, "usage", "corrections", "--tenant", "acme")
	if !strings.Contains(list, "user:42") || !strings.Contains(list, "outage of zone 2") || !strings.Contains(list, "-3600") {
		t.Errorf("corrections: %s", list)
	}
	if got := must(t, "usage", "--by", "meter", "--meter", "vm.running"); !strings.Contains(got, "CORRECTIONS") || !strings.Contains(got, "-3600") {
		t.Errorf("corrected report: %s", got)
	}
	if got := eventually(t, "faults: 0, pending: 0", "usage reconcile"); !strings.Contains(got, "vm") {
		t.Errorf("reconciliation: %s", got)
	}
	for line, says := range map[string]string{
		"usage --bucket week":                     "(allowed: ",
		"usage --from 2026-02-01 --to 2026-01-01": "is not before to",
		"usage --bucket day --tz Europe/Berlim":   "Europe/Berlim",
		"usage correct key=x meter=vm.running":    "reason",
		"usage correct key=x nosuch=1":            `"nosuch"`,
		"usage --meter vm.flying":                 "vm.flying",
	} {
		if got := cbctl(t, words(line)...); got.code != exitRefused || !strings.Contains(got.stderr, says) {
			t.Errorf("%s: %d %s%s, want %q", line, got.code, got.stdout, got.stderr, says)
		}
	}
}
