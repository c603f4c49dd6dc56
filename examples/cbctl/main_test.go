package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write the golden files")

// asCbctl, in the environment, makes the test binary cbctl itself.
const asCbctl = "CLOUDBUS_TEST_AS_CBCTL"

// serverBinary is the server, built from its sources.
var serverBinary string

func TestMain(m *testing.M) {
	if os.Getenv(asCbctl) != "" {
		main()
		return
	}
	time.Local = time.UTC // what is shown doesn't depend on where it's tested
	for _, name := range []string{envServer, envActor, envNoColor} {
		_ = os.Unsetenv(name)
	}
	dir, err := os.MkdirTemp("", "cbctl")
	if err == nil {
		serverBinary = filepath.Join(dir, "server")
		var out []byte
		if out, err = exec.Command("go", "build", "-o", serverBinary, "../server").CombinedOutput(); err != nil {
			err = fmt.Errorf("build the server: %w\n%s", err, out)
		}
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// serverProcess is a server in a process of its own, with an empty database.
type serverProcess struct {
	t   *testing.T
	cmd *exec.Cmd
	url string
}

// startServer starts one whose operations end at once, and have cbctl use it.
func startServer(t *testing.T, args ...string) *serverProcess {
	t.Helper()
	return startServerOn(t, t.TempDir(), "127.0.0.1:0", args...)
}

func startServerOn(t *testing.T, data, listen string, args ...string) *serverProcess {
	t.Helper()
	s := &serverProcess{t: t}
	var log bytes.Buffer
	s.cmd = exec.Command(serverBinary, append([]string{"-listen", listen, "-data", data, "-operation-time", "0s", "-fail-rate", "0"}, args...)...)
	s.cmd.Stderr = &log
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			s.url = url
			t.Setenv(envServer, url)
			return s
		}
	}
	_ = s.cmd.Wait()
	t.Fatalf("the server ended: %s", log.String())
	return nil
}

// stop ends it in good order, once.
func (s *serverProcess) stop() {
	if s.cmd.ProcessState != nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait() // its log says what went wrong
}

// result is what came of a run.
type result struct {
	code           int
	stdout, stderr string
}

// cbctl runs it within this process.
func cbctl(t *testing.T, args ...string) result {
	t.Helper()
	return cbctlWith(t, t.Context(), "", args...)
}

func cbctlWith(t *testing.T, ctx context.Context, stdin string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(ctx, args, strings.NewReader(stdin), &out, &errs)
	return result{code, out.String(), errs.String()}
}

// must fails the test unless all went well.
func must(t *testing.T, args ...string) string {
	t.Helper()
	got := cbctl(t, args...)
	if got.code != exitOK || got.stderr != "" {
		t.Fatalf("cbctl %s: %d\n%s%s", strings.Join(args, " "), got.code, got.stdout, got.stderr)
	}
	return got.stdout
}

// stub is something that answers in place of a server.
func stub(t *testing.T, handler http.HandlerFunc) {
	t.Helper()
	web := httptest.NewServer(handler)
	t.Cleanup(func() { web.CloseClientConnections(); web.Close() })
	t.Setenv(envServer, web.URL)
}
