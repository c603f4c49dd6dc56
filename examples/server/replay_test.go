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
	"strings"
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
		s, err := build(t.Context(), config{data: data, replay: nova, bridge: strings.Fields(defaultBridge)}, slog.New(slog.DiscardHandler), cable)
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
