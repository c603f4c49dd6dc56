package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudevents/sdk-go/v2/event"
)

func TestJSONIsWhatTheServerSaid(t *testing.T) {
	startServer(t)
	must(t, "create", "vm", "id=web1", "name=<&>", "cpus=2")
	resp, err := http.Get(os.Getenv(envServer) + "/v1/resources/vm/web1")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	want, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := must(t, "get", "vm", "web1", "-o", "json"); got != string(want) {
		t.Errorf("%s, want %s", got, want)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestNumbersOf64BitsSurvive(t *testing.T) {
	const entry = `{"seq":9007199254740993,"type":"x","time":"2026-01-02T03:04:05Z","data":{"n":9223372036854775807,"f":1.50}}`
	stub(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"events":[`+entry+`]}`) })
	if got := must(t, "events", "list", "-o", "json"); got != entry+"\n" {
		t.Errorf("%s, want %s", got, entry)
	}
	if got := must(t, "events", "list"); !strings.HasPrefix(got, "9007199254740993  ") {
		t.Errorf("as text: %s", got)
	}
}

func TestCloudEventsAreThoseOfTheBridge(t *testing.T) {
	startServer(t)
	must(t, "create", "vm", "id=web1", "tenant=acme", "name=ü <&>")
	must(t, "fire", "vm", "web1", "start_requested", "--wait", "running")
	listed, tailed := must(t, "events", "list", "-o", "cloudevents", "--type", "vm.>"), must(t, "events", "tail", "--after", "0", "--limit", "3", "-o", "cloudevents", "--type", "vm.>")
	if listed != tailed {
		t.Errorf("listed %s\ntailed %s", listed, tailed)
	}
	lines := strings.Split(strings.TrimSpace(listed), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d events: %s", len(lines), listed)
	}
	for _, line := range lines {
		var e event.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if err := e.Validate(); err != nil || e.Subject() != "vm/web1" || e.Extensions()["tenant"] != "acme" || e.Extensions()["schemaversion"] != "1" {
			t.Errorf("%s: %v", line, err)
		}
		decoded, err := bridge.Decode([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := bridge.Encode(decoded); err != nil || string(again) != line {
			t.Errorf("%s\nthe bridge says %s, %v", line, again, err)
		}
	}
}

func TestAnEventThatIsNoCloudEventIsAnError(t *testing.T) {
	stub(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"events":[{"seq":7,"id":"01890a5d-ac96-774b-bcce-b302099a8057","type":"x","source":""}]}`)
	})
	if got := cbctl(t, "events", "list", "-o", "cloudevents"); got.code != exitRefused || !strings.Contains(got.stderr, "event 7") || !strings.Contains(got.stderr, "source") {
		t.Errorf("%d %s%s", got.code, got.stdout, got.stderr)
	}
}

func TestColoursAreForTerminals(t *testing.T) {
	stub(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"items":[{"id":"a","state":"running"}]}`)
	})
	for line, colored := range map[string]bool{"get vm": false, "get vm --color never": false, "get vm --color always": true, "get vm -o json --color always": false} {
		if got := must(t, words(line)...); strings.Contains(got, "\x1b[") != colored {
			t.Errorf("%s: %q", line, got)
		}
	}
	t.Setenv(envNoColor, "1")
	if got := must(t, "get", "vm", "--color", "always"); !strings.Contains(got, "\x1b[") {
		t.Errorf("what is asked for goes before %s: %q", envNoColor, got)
	}
}

// endless is a stub whose listing of events has no end.
func endless(w http.ResponseWriter, r *http.Request) {
	var b strings.Builder
	b.WriteString(`{"events":[`)
	for i := range 1000 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"seq":%d,"type":"vm.created","subject":"vm/web1"}`, i)
	}
	_, _ = fmt.Fprintf(w, `%s],"next":"%s1"}`, b.String(), r.URL.Query().Get("after"))
}

func TestAReaderThatLeavesIsNoError(t *testing.T) {
	stub(t, endless)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "events", "list")
	cmd.Env = append(os.Environ(), asCbctl+"=1")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, "vm.created") {
		t.Errorf("%q, %v", line, err)
	}
	_ = out.Close()
	if err := cmd.Wait(); err != nil || errs.Len() > 0 {
		t.Errorf("it ended with %v, and said %q", err, errs.String())
	}
}

func TestADiskThatIsFullIsAnError(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = full.Close() }()
	stub(t, endless)
	var errs bytes.Buffer
	if code := run(t.Context(), []string{"events", "list", "-o", "json"}, strings.NewReader(""), full, &errs); code != exitRefused || !strings.Contains(errs.String(), "no space left") {
		t.Errorf("%d %s", code, errs.String())
	}
}

func TestCtrlCEndsAtOnce(t *testing.T) {
	started := make(chan struct{}, 1)
	stub(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("stream") == "" {
			_, _ = io.WriteString(w, `{"events":[]}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		started <- struct{}{}
		<-r.Context().Done()
	})
	cmd := exec.CommandContext(t.Context(), os.Args[0], "events", "tail")
	cmd.Env = append(os.Environ(), asCbctl+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-started
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("a tail: %v, want 0", err)
	}

	stub(t, func(_ http.ResponseWriter, r *http.Request) { started <- struct{}{}; <-r.Context().Done() })
	cmd = exec.CommandContext(t.Context(), os.Args[0], "events", "list")
	cmd.Env = append(os.Environ(), asCbctl+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-started
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
		t.Errorf("a list: %v, want %d", err, exitInterrupted)
	}
}

func TestATailOutlivesTheServer(t *testing.T) {
	data := t.TempDir()
	first := startServerOn(t, data, "127.0.0.1:0")
	must(t, "create", "vm", "id=web1")
	out, w := io.Pipe()
	errsRead, errsWrite := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"events", "tail", "--after", "0", "--type", "vm.created"}, strings.NewReader(""), w, errsWrite)
		_, _ = w.Close(), errsWrite.Close()
	}()
	lines, notes := bufio.NewScanner(out), bufio.NewScanner(errsRead)
	next := func(s *bufio.Scanner, says string) {
		t.Helper()
		if !s.Scan() || !strings.Contains(s.Text(), says) {
			t.Errorf("%q, want %q", s.Text(), says)
		}
	}
	next(lines, "vm/web1")
	first.stop()
	next(notes, "next try in")
	drained := make(chan string, 1)
	go func() { // tries that failed are told too
		for notes.Scan() && strings.Contains(notes.Text(), "next try in") {
		}
		drained <- notes.Text()
		for notes.Scan() {
		}
	}()
	startServerOn(t, data, strings.TrimPrefix(first.url, "http://"))
	must(t, "create", "vm", "id=web2")
	next(lines, "vm/web2")
	if said := <-drained; !strings.Contains(said, "connected again, going on behind 1") {
		t.Errorf("it says %q", said)
	}
	cancel()
	select {
	case code := <-ended:
		if code != exitOK {
			t.Errorf("exit code %d", code)
		}
	case <-time.After(time.Minute):
		t.Error("it doesn't end")
	}
}

func TestValuesComeFromFilesAndArguments(t *testing.T) {
	var sent string
	stub(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = string(body)
		_, _ = io.WriteString(w, `{"id":"x","state":"stopped"}`)
	})
	got := cbctlWith(t, t.Context(), `{"cpus":1,"n":9007199254740993,"name":"a"}`, "create", "vm", "-f", "-", "cpus=2", `note="2"`, "text=a=b c", "ok=true", `list=[1]`)
	if want := `{"cpus":2,"list":[1],"n":9007199254740993,"name":"a","note":"2","ok":true,"text":"a=b c"}`; got.code != exitOK || sent != want {
		t.Errorf("%+v, sent %s, want %s", got, sent, want)
	}
	if got := cbctlWith(t, t.Context(), `{} {}`, "create", "vm", "-f", "-"); got.code != exitUsage {
		t.Errorf("two objects: %+v", got)
	}
	if got := cbctlWith(t, t.Context(), `null`, "create", "vm", "-f", "-"); got.code != exitUsage {
		t.Errorf("null: %+v", got)
	}
}

func TestTheShellIsHelped(t *testing.T) {
	stub(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked %s", r.URL) })
	for line, says := range map[string]string{"completion bash": "complete", "__complete events list -o ": "cloudevents", "help": "Available Commands", "events": "tail", "": "Usage", "get --help": "--columns"} {
		if got := cbctl(t, append(words(line), strings.Repeat("", 0))[:len(words(line))]...); got.code != exitOK || !strings.Contains(got.stdout, says) {
			t.Errorf("%s: %+v", line, got)
		}
	}
}
