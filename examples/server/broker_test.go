package main

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBrokerOpensASocketOnlyIfAsked(t *testing.T) {
	silent, err := startBroker(t.TempDir(), "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer stopBroker(silent)
	if silent.Addr() != nil {
		t.Errorf("listens on %v", silent.Addr())
	}
	open, err := startBroker(t.TempDir(), "127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer stopBroker(open)
	c, err := net.Dial("tcp", open.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

func TestBrokerRefusesWhatItCannotHave(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, dir, listen, says string }{
		{"a taken port", t.TempDir(), taken.Addr().String(), "in use"},
		{"no port", t.TempDir(), "127.0.0.1", "-nats-listen"},
		{"a port that is no number", t.TempDir(), "127.0.0.1:x", `"x"`},
		{"a port that is too big", t.TempDir(), "127.0.0.1:65536", "65535"},
		{"a file for a folder", file, "", file},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := startBroker(tt.dir, tt.listen, slog.New(slog.DiscardHandler))
			if err == nil {
				stopBroker(s)
				t.Fatal("started")
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v doesn't say %q", err, tt.says)
			}
		})
	}
}
