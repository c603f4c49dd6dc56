package postgrestest

import (
	"flag"
	"os"
	"os/exec"
	"testing"
)

const again = "CLOUDBUS_TESTS_ON_POSTGRES"

// On reports whether this process runs a package's tests on PostgreSQL, for Again.
func On() bool { return os.Getenv(again) != "" }

// Again runs all tests of the calling package but those that match skip in another process, in which On is true: who opens a store for them
// then opens one on a Schema. Without a server it skips the test. Random walks (rapid.Check) are a tenth of their number there: a step costs
// ten times what it does on SQLite, and what they look for is mostly not the database's.
func Again(t *testing.T, skip string) {
	t.Helper()
	if On() {
		t.Skip("this is that run")
	}
	Server(t)
	args := []string{"-test.timeout=8m", "-test.skip=^(" + skip + ")$"}
	if flag.Lookup("rapid.checks") != nil {
		args = append(args, "-rapid.checks=10")
	}
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), again+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("on PostgreSQL: %v\n%s", err, out)
	}
}
