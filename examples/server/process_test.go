package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is a server in a process of its own.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	url string
	log *bytes.Buffer // standard error; to be read when it has ended
}

// startProcess runs the server and waits until it says where it listens.
func startProcess(t *testing.T, args ...string) *process {
	t.Helper()
	p := command(t, append([]string{"-listen", "127.0.0.1:0"}, args...)...)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			p.url = url
			return p
		}
	}
	_ = p.cmd.Wait()
	t.Fatalf("the server ended: %s", p.log)
	return nil
}

func command(t *testing.T, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	p := &process{t: t, cmd: exec.CommandContext(ctx, os.Args[0], args...), log: &bytes.Buffer{}}
	p.cmd.Env = append(os.Environ(), asServer+"=1")
	p.cmd.Stderr = p.log
	return p
}

func (p *process) request(method, path, body string) map[string]any {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var got map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || resp.StatusCode > 299 {
		p.t.Fatalf("%s %s: %s %v %v", method, path, resp.Status, got, err)
	}
	return got
}

// stop sends SIGTERM and waits for a good end.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("after SIGTERM: %v\n%s", err, p.log)
	}
}

func TestStopsInGoodOrderAndGoesOnAtTheNextStart(t *testing.T) {
	data := t.TempDir()
	p := startProcess(t, "-data", data, "-operation-time", "1h", "-fail-rate", "0")
	p.request("POST", "/v1/resources/vm", `{"id":"web1","cpus":2}`)
	p.request("POST", "/v1/resources/vm/web1/fire", `{"trigger":"start_requested"}`)

	stream, err := http.Get(p.url + "/v1/events?stream=true&after=0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	events := bufio.NewScanner(stream.Body)
	for events.Scan() && !strings.HasPrefix(events.Text(), "event: vm.state.starting") {
	}
	p.stop()
	for events.Scan() { // a stream that doesn't end would hang here
	}
	http.DefaultClient.CloseIdleConnections()

	again := startProcess(t, "-data", data, "-operation-time", "0s", "-fail-rate", "0")
	stream, err = http.Get(again.url + "/v1/events?stream=true&type=vm.state.running&after=0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	events = bufio.NewScanner(stream.Body)
	for events.Scan() && !strings.HasPrefix(events.Text(), "event: vm.state.running") {
	}
	if got := again.request("GET", "/v1/resources/vm/web1", ""); got["state"] != "running" || got["cpus"] != 2.0 || got["host_id"] == "" {
		t.Errorf("after a restart: %v", got)
	}
	again.stop()
	http.DefaultClient.CloseIdleConnections()
}

func TestSecondServerOnTheSameDataIsRefused(t *testing.T) {
	data := t.TempDir()
	first := startProcess(t, "-data", data)
	second := command(t, "-data", data, "-listen", "127.0.0.1:0")
	out, err := second.cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitFailure || len(out) > 0 {
		t.Errorf("the second server: %v, printed %q", err, out)
	}
	if want := fmt.Sprintf("in use by process %d", first.cmd.Process.Pid); !strings.Contains(second.log.String(), want) {
		t.Errorf("%q doesn't say %q", second.log, want)
	}
	first.stop()
	http.DefaultClient.CloseIdleConnections()
}

// A request that doesn't come to its end holds a good end up; who doesn't want to wait says so again.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	p := command(t, "-data", t.TempDir(), "-listen", "127.0.0.1:0")
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	log, logEnd := io.Pipe()
	p.cmd.Stderr = logEnd
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	conn, err := net.Dial("tcp", strings.TrimPrefix(lines.Text(), "listening on http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "POST /v1/resources/vm HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	logLines := bufio.NewScanner(log)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for logLines.Scan() && !strings.Contains(logLines.Text(), "msg=stopping") {
	}
	go func() { _, _ = io.Copy(io.Discard, log) }()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err = p.cmd.Wait()
	_ = logEnd.Close()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitAtOnce {
		t.Errorf("the server ended with %v, want exit code %d", err, exitAtOnce)
	}
}

func TestReplayThatWasKilledIsTakenUp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "long.log")
	if err := os.WriteFile(file, longLog(150), 0o600); err != nil {
		t.Fatal(err)
	}
	want := replayOf(t, t.TempDir(), file)

	data := t.TempDir()
	p := startProcess(t, "-data", data, "-replay", file)
	stream, err := http.Get(p.url + "/v1/events?stream=true&after=0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	events := bufio.NewScanner(stream.Body)
	for events.Scan() && events.Text() != "id: 200" {
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // killed
	_, _ = io.Copy(io.Discard, stream.Body)
	http.DefaultClient.CloseIdleConnections()

	if got := replayOf(t, data, file); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
}

// longLog is a log of n VMs, each started, paused, resumed twice, and every second one destroyed.
func longLog(n int) []byte {
	var b bytes.Buffer
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		says := []string{"VM Started (Lifecycle Event)", "VM Paused (Lifecycle Event)", "VM Resumed (Lifecycle Event)", "VM Resumed (Lifecycle Event)"}
		if i%2 == 0 {
			says = append(says, "Instance destroyed successfully.", "VM Stopped (Lifecycle Event)")
		}
		for _, s := range says {
			at = at.Add(731 * time.Millisecond)
			fmt.Fprintf(&b, "%s 1 INFO nova.compute.manager [-] [instance: 00000000-0000-4000-8000-%012d] %s\n", at.Format("2006-01-02 15:04:05.000"), i, s)
		}
	}
	return b.Bytes()
}

func TestHelpAndWrongFlagsHaveTheirExitCodes(t *testing.T) {
	for args, want := range map[string]int{"-help": exitOK, "-nosuch": exitUsage, "serve": exitUsage, "-once": exitUsage} {
		if got := run(t.Context(), []string{args}, io.Discard, io.Discard); got != want {
			t.Errorf("%s: exit code %d, want %d", args, got, want)
		}
	}
}

func TestServesWhileTheBrokerIsAway(t *testing.T) {
	p := startProcess(t, "-data", t.TempDir(), "-nats", "nats://127.0.0.1:1")
	p.request("POST", "/v1/resources/vm", `{"id":"web1"}`)
	got := p.request("GET", "/readyz", "")
	if got["ready"] != true {
		t.Errorf("readyz: %v", got)
	}
	shown := false
	for _, v := range got["plugins"].([]any) {
		plugin := v.(map[string]any)
		shown = shown || strings.HasPrefix(plugin["name"].(string), "bridge") && plugin["problem"] != nil
	}
	if !shown {
		t.Errorf("readyz doesn't show what the bridge lacks: %v", got)
	}
	p.stop()
	http.DefaultClient.CloseIdleConnections()
}

func TestServesAndReplaysAtTheSameTime(t *testing.T) {
	p := startProcess(t, "-data", t.TempDir(), "-replay", nova)
	stream, err := http.Get(p.url + "/v1/events?stream=true&after=0&type=vm.%3E")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	n := 0
	for events := bufio.NewScanner(stream.Body); n < 12 && events.Scan(); {
		if strings.HasPrefix(events.Text(), "event: ") {
			n++
		}
	}
	if n != 12 {
		t.Errorf("the stream ended after %d events", n)
	}
	p.stop()
	http.DefaultClient.CloseIdleConnections()
}
