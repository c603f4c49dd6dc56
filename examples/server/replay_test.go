package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// What testdata/nova.log comes to, worked out by hand: A lives for a minute, says some things twice, and is reported running
// after its end; B is paused at a time before its start and runs on; C is seen only when it is destroyed.
const fromNova = `{"resources":{"vm":{"destroyed":2,"running":1}},` +
	`"events":{"vm.created":3,"vm.state.running":4,"vm.state.paused":2,"vm.state.stopped":1,"vm.state.destroyed":2},` +
	`"unchanged":5,"skipped_lines":3,"refused":1,` +
	`"usage":{"vm.allocated":{"seconds":60,"open":1},"vm.running":{"seconds":60,"open":1}},"published":12}`

// What the log of a real compute node comes to, counted by hand too.
const fromCloudLab = `{"resources":{"vm":{"destroyed":11}},` +
	`"events":{"vm.created":11,"vm.state.running":22,"vm.state.paused":11,"vm.state.stopped":11,"vm.state.destroyed":11},` +
	`"unchanged":22,"skipped_lines":401,` +
	`"usage":{"vm.allocated":{"seconds":158.031,"open":0},"vm.running":{"seconds":158.031,"open":0}},"published":66}`

const nova = "testdata/nova.log"

// replayOf runs the program once over a log and returns what it prints.
func replayOf(t *testing.T, data, file string) string {
	t.Helper()
	var out, log bytes.Buffer
	if code := run(t.Context(), []string{"-data", data, "-replay", file, "-once", "-wait", "30s"}, &out, &log); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, log.String())
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func TestReplay(t *testing.T) {
	data := t.TempDir()
	for _, time := range []string{"first", "second", "third"} {
		if got := replayOf(t, data, nova); got != fromNova {
			t.Errorf("%s time:\n%s, want\n%s", time, got, fromNova)
		}
	}
}

func TestReplayOfARealLog(t *testing.T) {
	file := filepath.Join("..", "..", "..", "shared", "data", "openstack-nova-compute.log")
	if _, err := os.Stat(file); err != nil {
		t.Skipf("the log isn't part of the project (see README.md of this folder): %v", err)
	}
	data := t.TempDir()
	for _, time := range []string{"first", "second"} {
		if got := replayOf(t, data, file); got != fromCloudLab {
			t.Errorf("%s time:\n%s, want\n%s", time, got, fromCloudLab)
		}
	}
}

// However much of a log was replayed before, replaying all of it ends the same.
func TestReplayOfALongerLogGoesOnWhereTheShorterOneEnded(t *testing.T) {
	whole, err := os.ReadFile(nova)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	for n := 1; n < len(lines); n += 3 {
		t.Run(fmt.Sprintf("%d lines", n), func(t *testing.T) {
			data, part := t.TempDir(), filepath.Join(t.TempDir(), "part.log")
			if err := os.WriteFile(part, bytes.Join(lines[:n], nil), 0o600); err != nil {
				t.Fatal(err)
			}
			replayOf(t, data, part)
			if got := replayOf(t, data, nova); got != fromNova {
				t.Errorf("%s, want\n%s", got, fromNova)
			}
		})
	}
}

// A line that stands for two triggers may have been interrupted between them.
func TestReplayInterruptedInTheMidstOfALine(t *testing.T) {
	data := t.TempDir()
	unplugged := errors.New("unplugged")
	cable := listeners.Funcs{ListenerName: "cable", OnInTx: func(_ context.Context, _ resources.Tx, c resources.Change) error {
		if c.To == vm.Destroyed {
			return unplugged
		}
		return nil
	}}
	interrupted := func() error {
		log, err := openLog(nova)
		if err != nil {
			return err
		}
		defer func() { _ = log.Close() }()
		cfg := config{data: data, replay: nova, nova: log, bridge: strings.Fields(defaultBridge)}
		s, err := build(t.Context(), cfg, slog.New(slog.DiscardHandler), cable)
		if err == nil {
			_, err = s.replay(t.Context(), nil)
		}
		return errors.Join(err, s.close())
	}
	if err := interrupted(); !errors.Is(err, unplugged) {
		t.Fatalf("replay: %v", err)
	}
	if got := replayOf(t, data, nova); got != fromNova {
		t.Errorf("%s, want\n%s", got, fromNova)
	}
}

// What moved nothing is noted too when a replay ends early: a later one must not fire it at a VM that has moved on.
func TestReplayThatEndsEarlyNotesWhatMovedNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := listeners.Funcs{ListenerName: "stop", OnBefore: func(_ context.Context, c resources.Change) error {
		if c.To == vm.Paused {
			cancel()
			return context.Canceled
		}
		return nil
	}}
	const line = "2017-05-16 00:00:0%d.000 2931 INFO nova.compute.manager [-] [instance: b9000564-fe1a-409b-b8cc-1e88b294cd1d] VM %s (Lifecycle Event)\n"
	text := fmt.Sprintf(line+line+line, 1, "Started", 2, "Resumed", 3, "Paused")
	file := filepath.Join(t.TempDir(), "nova.log")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := openLog(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	s, err := build(t.Context(), config{data: t.TempDir(), nova: log, bridge: strings.Fields(defaultBridge)}, slog.New(slog.DiscardHandler), stop)
	defer func() { _ = s.close() }()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.replay(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("replay: %v", err)
	}
	var outcomes []outcome
	if err := s.journal.DB().Raw("SELECT outcome FROM replayed ORDER BY at").Scan(&outcomes).Error; err != nil || !slices.Equal(outcomes, []outcome{moved, unchanged}) {
		t.Errorf("noted %v, %v", outcomes, err)
	}
}

// A pipe can be read once only, and opened once.
func TestReplayOfAPipe(t *testing.T) {
	text, err := os.ReadFile(nova)
	if err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	wrote := make(chan error, 1)
	go func() { wrote <- os.WriteFile(pipe, text, 0o600) }()
	if got := replayOf(t, t.TempDir(), pipe); got != fromNova {
		t.Errorf("%s, want\n%s", got, fromNova)
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}

// The wait for a pipe whose writer says nothing ends with the context.
func TestStoppedReplayOfAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	writer := make(chan *os.File, 1)
	go func() {
		f, _ := os.OpenFile(pipe, os.O_WRONLY, 0)         // waits for a reader
		_, _ = f.WriteString(strings.Repeat("\n", 1<<18)) // more than a pipe holds: it returns when the replay is under way
		writer <- f
		cancel()
	}()
	var out bytes.Buffer
	if code := run(ctx, []string{"-once", "-data", t.TempDir(), "-replay", pipe}, &out, io.Discard); code != exitFailure || out.Len() > 0 {
		t.Errorf("exit code %d, printed %q", code, out.String())
	}
	_ = (<-writer).Close()
}

func TestReplayOfOddFiles(t *testing.T) {
	const nothing = `{"resources":{},"events":{},"unchanged":0,"skipped_lines":%d,"usage":{},"published":0}`
	tests := []struct {
		name, log string
		skipped   int
	}{
		{"empty", "", 0},
		{"not a log", "hello\nworld", 2},
		{"one endless line", strings.Repeat("x", 3*maxLine), 1},
		{"binary", "\x7fELF\x00\x01\n\xff\xff\xff", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "odd.log")
			if err := os.WriteFile(file, []byte(tt.log), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, want := replayOf(t, t.TempDir(), file), fmt.Sprintf(nothing, tt.skipped); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

func TestReplayThatCannotBe(t *testing.T) {
	tests := []struct {
		name string
		args []string
		says string
	}{
		{"no such file", []string{"-replay", "testdata/nosuch.log"}, "nosuch.log"},
		{"a folder", []string{"-replay", "testdata"}, "testdata"},
		{"the broker is away", []string{"-replay", nova, "-nats", "nats://127.0.0.1:1", "-wait", "300ms"}, "bridge"},
		{"data in a file", []string{"-replay", nova, "-data", nova}, "nova.log"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, log bytes.Buffer
			args := append([]string{"-once", "-data", t.TempDir()}, tt.args...)
			if code := run(t.Context(), args, &out, &log); code != exitFailure || out.Len() > 0 {
				t.Errorf("exit code %d, printed %q", code, out.String())
			}
			lines := strings.Split(strings.TrimSpace(log.String()), "\nserver: ")
			if last := lines[len(lines)-1]; !strings.Contains(last, tt.says) {
				t.Errorf("%q doesn't say %q", last, tt.says)
			}
		})
	}
}

// What was not published because the broker was away is published when it is there.
func TestReplayIsPublishedLater(t *testing.T) {
	data := t.TempDir()
	away := []string{"-once", "-data", data, "-replay", nova, "-nats", "nats://127.0.0.1:1", "-wait", "300ms"}
	if code := run(t.Context(), away, io.Discard, io.Discard); code != exitFailure {
		t.Fatalf("exit code %d", code)
	}
	if got := replayOf(t, data, nova); got != fromNova {
		t.Errorf("%s, want\n%s", got, fromNova)
	}
}

func TestStoppedReplayIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if code := run(ctx, []string{"-once", "-data", t.TempDir(), "-replay", nova}, &out, io.Discard); code != exitFailure || out.Len() > 0 {
		t.Errorf("exit code %d, printed %q", code, out.String())
	}
}

func TestReplayToAnOutsideBroker(t *testing.T) {
	broker, err := startBroker(t.TempDir(), "127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer stopBroker(broker)
	var out, log bytes.Buffer
	args := []string{"-once", "-data", t.TempDir(), "-replay", nova, "-nats", broker.ClientURL()}
	if code := run(t.Context(), args, &out, &log); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, log.String())
	}
	if got := strings.TrimSuffix(out.String(), "\n"); got != fromNova {
		t.Errorf("%s, want\n%s", got, fromNova)
	}
}
