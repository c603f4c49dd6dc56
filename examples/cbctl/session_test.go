package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// what differs from run to run, and what stands for it.
var volatile = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z`), "2026-01-02 03:04:05.678Z"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ`), "2026-01-02 03:04:05Z"},
	{regexp.MustCompile(`(?m)^ *\d+  2026-`), "     #  2026-"},
	{regexp.MustCompile(`#\d+ 2026-`), "# 2026-"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`), "00000000-0000-7000-8000-000000000000"},
	{regexp.MustCompile(`/\S*/backups/monday.db, \d+ bytes`), "/…/backups/monday.db, 300000 bytes"},
}

// session runs lines of commands as somebody would type them and returns what the terminal shows.
func session(t *testing.T, lines string) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		got := cbctl(t, words(line)...)
		b.WriteString("$ cbctl " + line + "\n" + got.stdout + got.stderr)
		if got.code != exitOK {
			b.WriteString("(exit code " + string(rune('0'+got.code)) + ")\n")
		}
	}
	text := b.String()
	for _, v := range volatile {
		text = v.pattern.ReplaceAllString(text, v.instead)
	}
	return text
}

// words splits a line at blanks, but for what stands in single quotes.
func words(line string) (all []string) {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 0 {
			all = append(all, strings.Fields(part)...)
		} else {
			all = append(all, part)
		}
	}
	return all
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		if i >= len(gotLines) || i >= len(wantLines) || gotLines[i] != wantLines[i] {
			t.Fatalf("%s differs (-update writes it):\n%s\nwant\n%s", file, strings.Join(gotLines[min(i, len(gotLines)):], "\n"), strings.Join(wantLines[min(i, len(wantLines)):], "\n"))
		}
	}
}

func TestASessionLooksAsItShould(t *testing.T) {
	startServer(t)
	golden(t, "session.txt", session(t, `
create vm id=web1 tenant=acme name=www cpus=2 memory_mib=2048
create volume id=data1 tenant=acme size_gib=20
create vm id=web1
fire vm web1 start_requested --reason monday --actor user:42 --wait running
fire vm/web1 start_requested
fire vm/web2 start_requested
update vm web1 cpus=4
get vm
get vm --state stopped
get vm --tenant acme --columns cpus,memory_mib,nosuch
get vm web2
events list --type vm.>
events list --type vm.> --newest --limit 1
events list --type vm..
events tail --type vm.> --after 0 --limit 2
events list --since tomorrow
machines nic
machines nic -o mermaid --state reserved
queues parked hypervisor
queues replay hypervisor vm web1
queues discard hypervisor --seq 1
queues discard hypervisor
alerts
backup monday
backup Monday
`))
}

func TestTheReadmeShowsWhatHappens(t *testing.T) {
	startServer(t)
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```text\n")
	block, _, _ = strings.Cut(block, "```")
	var lines []string
	for line := range strings.SplitSeq(block, "\n") {
		if command, ok := strings.CutPrefix(line, "$ cbctl "); ok {
			lines = append(lines, command)
		}
	}
	if got := session(t, strings.Join(lines, "\n")); len(lines) == 0 || got != block {
		t.Errorf("README.md shows\n%s\nbut this happens:\n%s", block, got)
	}
}
