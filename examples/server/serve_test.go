package main

import (
	"log/slog"
	"net"
	"strings"
	"testing"
)

func TestTakenPortIsAnErrorOnlyIfItWasAskedFor(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	address := taken.Addr().String()
	if l, err := listen(config{listen: address, listenGiven: true}, slog.New(slog.DiscardHandler)); err == nil {
		t.Errorf("listens on %v", l.Addr())
	} else if !strings.Contains(err.Error(), address) {
		t.Errorf("%v doesn't name %s", err, address)
	}
	var said strings.Builder
	l, err := listen(config{listen: address}, slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if host, _, _ := net.SplitHostPort(l.Addr().String()); host != "127.0.0.1" {
		t.Errorf("falls back to %v", l.Addr())
	}
	if !strings.Contains(said.String(), l.Addr().String()) {
		t.Errorf("doesn't say that it listens on %v: %s", l.Addr(), said.String())
	}
}

func TestGreetingSaysWhereEverythingIs(t *testing.T) {
	var out strings.Builder
	api := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4711}
	greet(&out, api, "", "data")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if lines[0] != "listening on http://127.0.0.1:4711" || !strings.HasPrefix(lines[1], "data in /") {
		t.Errorf("greeting %q", out.String())
	}
	if got := strings.Count(out.String(), "curl "); got != 3 {
		t.Errorf("%d curl commands", got)
	}
	out.Reset()
	greet(&out, api, "nats://127.0.0.1:4222", "data")
	if lines := strings.Split(out.String(), "\n"); lines[1] != "NATS on nats://127.0.0.1:4222" || !strings.HasPrefix(lines[2], "data in /") {
		t.Errorf("greeting with a broker %q", out.String())
	}
}
