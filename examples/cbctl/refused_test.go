package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWhatTheServerRefusesIsToldWithWhatIsAllowed(t *testing.T) {
	startServer(t)
	must(t, "create", "vm", "id=web1")
	for _, test := range []struct {
		line string
		says string
	}{
		{"get disk", `unknown kind "disk" (known: `},
		{"get vm --where cpu=4", `unknown parameter "cpu" (allowed: after, limit, id, `},
		{"create vm cpu=2", `unknown field "cpu" (allowed: id, `},
		{`create vm id=7`, `id": cannot be a JSON number, string is needed`},
		{"update vm web1 state=running", `unknown field "state" (allowed: tenant, `},
		{"update vm web1 name=null", `field "name" is null`},
		{"fire vm/web1 restart", "start_requested"},
		{"fire vm web1 pause_requested", "start_requested"},
		{"fire vm web1 start_requested --operation x", `id "x"`},
		{"machines nic -o png", `"format": "png" (allowed: mermaid, dot`},
		{"machines nic --state running", `unknown state "running" of a nic (allowed: allocated, `},
		{"queues parked nobody", `"nobody" (allowed: alerts, `},
		{"queues replay usage vm web1", "nothing parked of vm/web1"},
		{"events tail --after 99", "beyond the newest event"},
		{"events list --id web1", `"id" needs "kind"`},
	} {
		got := cbctl(t, words(test.line)...)
		if got.code != exitRefused || got.stdout != "" || !strings.HasPrefix(got.stderr, "cbctl: ") || !strings.Contains(got.stderr, test.says) {
			t.Errorf("%s: %d %s%s, want %q", test.line, got.code, got.stdout, got.stderr, test.says)
		}
	}
}

func TestWhatMakesNoSenseIsWrongUsage(t *testing.T) {
	stub(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked %s", r.URL) })
	notJSON := filepath.Join(t.TempDir(), "vm.json")
	if err := os.WriteFile(notJSON, []byte("id: web1"), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, says := range map[string]string{
		"nosuch":                               `unknown command "nosuch"`,
		"events lst":                           `unknown command "lst"`,
		"help nosuch":                          `unknown command "nosuch" for "cbctl"`,
		"help events lst":                      `unknown command "lst" for "cbctl events"`,
		"get --nosuch":                         "unknown flag: --nosuch",
		"get vm web1 x":                        "at most 2",
		"get vm --limit x":                     "--limit",
		"get vm --limit -1":                    "--limit -1",
		"get vm -o csv":                        "allowed: text, json",
		"get vm web1 --state running":          "for lists",
		"get --columns cpus":                   "for lists",
		"get vm --where cpus":                  `"cpus"`,
		"get vm --where cpus=1 --where cpus=2": "once",
		"get /web1":                            "which /web1?",
		"get vm/web1 x":                        `unexpected argument "x"`,
		"create":                               "at least 1",
		"create vm cpus":                       `"cpus" isn't name=value`,
		"create vm =2":                         `"=2" isn't name=value`,
		"create vm cpus=1 cpus=2":              "given twice",
		"create vm -f " + notJSON:              "a JSON object is needed",
		"create vm -f /nowhere.json":           "/nowhere.json",
		"update vm":                            "which vm?",
		"update vm web1":                       "what is to change?",
		"fire vm":                              "which vm?",
		"fire vm web1":                         "one trigger",
		"fire vm web1 a b":                     "one trigger",
		"fire vm web1 x --timeout 0s":          "--timeout 0s",
		"fire vm web1 x --at noon":             "--at",
		"fire vm web1 x --set cpus":            "name=value",
		"events list --since x --limit 3":      "--since",
		"events list --limit -3":               "--limit -3",
		"events tail --limit -3":               "--limit -3",
		"events tail -o yaml":                  "allowed: text, json, cloudevents",
		"events chain":                         "correlation id, or --event",
		"events chain a --event b":             "correlation id, or --event",
		"machines --state running":             "--state is of one kind",
		"queues parked":                        "between 1 and 3",
		"queues parked usage vm":               "which vm?",
		"queues replay usage":                  "a resource, or --all",
		"queues replay usage vm web1 --all":    "a resource, or --all",
		"queues discard usage":                 "a resource, or --seq",
		"queues discard usage vm web1 --seq 1": "a resource, or --seq",
		"queues discard usage --seq x":         "--seq",
		"usage correct":                        "what is to be corrected?",
		"backup":                               "1 arg",
		"get --color red":                      `--color "red" (allowed: auto, always, never)`,
		"get --server ftp://x":                 `server "ftp://x"`,
		"alerts ack":                           "1 arg",
	} {
		got := cbctl(t, words(line)...)
		if got.code != exitUsage || got.stdout != "" || !strings.Contains(got.stderr, says) || !strings.Contains(got.stderr, "help") {
			t.Errorf("%s: %d %s%s, want %q", line, got.code, got.stdout, got.stderr, says)
		}
	}
}

func TestAServerThatCannotBeReachedOrIsNone(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"dropped": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"broken": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			_, _ = io.WriteString(w, "{")
		},
		"something": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>it works</html>") },
		"null":      func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "null") },
		"a number":  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "7") },
	} {
		t.Run(name, func(t *testing.T) {
			stub(t, handler)
			lines := []string{
				"get vm", "events list", "events tail", "queues", "queues parked x", "alerts", "alerts rules", "actions", "events search x",
				"usage corrections", "fire vm web1 x --wait steady", "usage reconcile", "alerts show 7", "get vm web1",
			}
			if name != "null" { // which could be any object with nothing in it
				lines = append(lines, "usage", "backup x")
			}
			for _, line := range lines {
				got := cbctl(t, words(line)...)
				if got.code != exitUnreachable || got.stdout != "" || !strings.HasPrefix(got.stderr, "cbctl: ") {
					t.Errorf("%s: %d %s%s, want %d", line, got.code, got.stdout, got.stderr, exitUnreachable)
				}
			}
		})
	}
	t.Setenv(envServer, "http://127.0.0.1:1")
	if got := cbctl(t, "get"); got.code != exitUnreachable || !strings.Contains(got.stderr, "can't reach http://127.0.0.1:1") {
		t.Errorf("nobody there: %d %s", got.code, got.stderr)
	}
}

func TestAServerThatFailsIsARefusal(t *testing.T) {
	stub(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "\x1b[2Jdown", http.StatusBadGateway) })
	got := cbctl(t, "get")
	if want := "cbctl: GET /v1/resources answered 502 Bad Gateway: \\x1b[2Jdown\n"; got.code != exitRefused || got.stderr != want {
		t.Errorf("%d %q, want %q", got.code, got.stderr, want)
	}
}

func TestWaitingEndsWhenItIsInVain(t *testing.T) {
	startServer(t, "-fail-rate", "1")
	must(t, "create", "vm", "id=web1")
	got := cbctl(t, "fire", "vm", "web1", "start_requested", "--wait", "running")
	if got.code != exitRefused || !strings.Contains(got.stderr, `vm/web1 came to rest in "stopped", not "running"`) {
		t.Errorf("%d %s%s", got.code, got.stdout, got.stderr)
	}
	got = cbctl(t, "fire", "vm", "web1", "start_requested", "--wait", "steady", "-o", "json")
	if lines := strings.Split(strings.TrimSpace(got.stdout), "\n"); got.code != exitOK || len(lines) != 2 || !strings.Contains(lines[1], `"to":"stopped"`) && !strings.Contains(lines[1], `"state":"stopped"`) {
		t.Errorf("%d %s%s", got.code, got.stdout, got.stderr)
	}
	got = cbctl(t, "fire", "vm", "web1", "start_requested", "--wait", "flying")
	if got.code != exitUsage || !strings.Contains(got.stderr, `"flying": no state of a vm (allowed: steady, `) {
		t.Errorf("%d %s%s", got.code, got.stdout, got.stderr)
	}
}

func TestWaitingEndsInTime(t *testing.T) {
	startServer(t, "-operation-time", "1h")
	must(t, "create", "vm", "id=web1")
	got := cbctl(t, "fire", "vm", "web1", "start_requested", "--wait", "running", "--timeout", "300ms")
	if got.code != exitRefused || got.stdout != "vm/web1 stopped → starting\n" || got.stderr != "cbctl: vm/web1 didn't come to \"running\" within 300ms\n" {
		t.Errorf("%d %s%s", got.code, got.stdout, got.stderr)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if got := cbctlWith(t, ctx, "", "fire", "vm", "web1", "start_requested", "--wait", "running"); got.code != exitInterrupted {
		t.Errorf("Ctrl-C: %d %s%s", got.code, got.stdout, got.stderr)
	}
}
