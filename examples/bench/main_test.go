package main

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
)

func TestWrongArgumentsAreNamed(t *testing.T) {
	for args, want := range map[string]string{
		"-only nats":     `-only "nats"`,
		"bus":            `argument "bus"`,
		"-rounds 0":      "-rounds and -events must be 1 or more",
		"-resources 1":   "-resources, -idle and -intervals 1000 or more",
		"-logged 12345":  "-logged must be a multiple of 10000",
		"-slice 0s":      "-slice more than 0",
		"-idle 10":       "-idle and -intervals 1000 or more",
		"-intervals 10":  "-idle and -intervals 1000 or more",
		"-away 1s":       "-away must be 5s or more",
		"-no-such-thing": "-no-such-thing",
	} {
		err := start(strings.Fields(args), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want %q in it", args, err, want)
		}
	}
}

func TestOnlyOneGroupAsJSON(t *testing.T) {
	var out, progress strings.Builder
	if err := start(strings.Fields("-only fsm -json -rounds 1 -slice 1ms -profile "+t.TempDir()), &out, &progress); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for _, line := range lines {
		var r struct {
			Group, Name string
			Ours        float64
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Group != "fsm" || r.Name == "" {
			t.Errorf("%s: %v", line, err)
		}
	}
	if len(lines) != 12 {
		t.Errorf("%d rows, want 12:\n%s", len(lines), out.String())
	}
	if !strings.Contains(progress.String(), "fsm: guarded transition") {
		t.Errorf("progress: %s", progress.String())
	}
}
