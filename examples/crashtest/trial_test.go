package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// trialOf runs the program, beside other tests, and returns its exit code and outcome.
func trialOf(t *testing.T, args ...string) (int, outcome) {
	t.Helper()
	t.Parallel()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), append([]string{"-every", "100ms", "-seed", "7", "-callers", "16"}, args...), &stdout, &stderr)
	var o outcome
	if err := json.Unmarshal(stdout.Bytes(), &o); err != nil {
		t.Fatalf("%v: %s\n%s", err, stdout.String(), stderr.String())
	}
	return code, o
}

func TestNothingIsLostWhenTheServerIsKilled(t *testing.T) {
	code, o := trialOf(t, "-kills", "2")
	if code != exitOK || !o.OK || o.Kills.All != 2 || o.Acknowledged == 0 || o.Published != o.Events || o.Counted != o.Events {
		t.Errorf("exit %d, %+v", code, o)
	}
}

func TestInjectedFaultsAreFound(t *testing.T) {
	for inject, check := range map[string]string{injectLost: checkAcknowledged, injectTwice: checkExactlyOnce, injectOrder: checkAtLeastOnce} {
		t.Run(inject, func(t *testing.T) {
			code, o := trialOf(t, "-kills", "0", "-inject", inject, "-dir", t.TempDir())
			if code != exitFailure || o.OK || o.Injected != inject || o.FoundBy[check] == 0 || len(o.FoundBy) != 1 || o.Violations[0].Resource == "" {
				t.Errorf("exit %d, %+v", code, o)
			}
		})
	}
}

func TestDatabaseWithoutRoom(t *testing.T) {
	code, o := trialOf(t, "-disk-full")
	if code != exitOK || !o.OK || o.Trouble.Refused == 0 || !strings.Contains(o.Trouble.First, "disk is full") {
		t.Errorf("exit %d, %+v, %+v", code, o, o.Trouble)
	}
}

func TestReadOnlyDatabase(t *testing.T) {
	code, o := trialOf(t, "-read-only")
	if code != exitOK || !o.OK || o.Trouble.Refused == 0 || !strings.Contains(o.Trouble.First, "read-only") || !strings.Contains(o.Trouble.Opening, "read-only") {
		t.Errorf("exit %d, %+v, %+v", code, o, o.Trouble)
	}
}
