package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/host"
	"github.com/cloudbus-go/cloudbus/resources/hostadmin"
	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// TestConsequences: the whole server draws them, and forbids.
func TestConsequences(t *testing.T) {
	s, err := build(t.Context(), config{data: t.TempDir()}, slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	create := func(kind string, obj any) {
		t.Helper()
		h, err := s.engine.Kind(kind)
		if err == nil {
			_, err = h.Create(t.Context(), obj)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	object := func(id string) resources.Object { return resources.Object{ID: id} }
	create("host", &host.Host{Object: object("h1")})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.bus.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	admins, err := s.engine.Kind("host_admin")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admins.Fire(ctx, "h1", hostadmin.DisableRequested); err != nil {
		t.Fatalf("a host comes with its administration: %v", err)
	}
	if _, err := s.vms.Create(ctx, vm.VM{HostID: "h1"}); err == nil || !strings.Contains(err.Error(), `host/h1, which is "disabled"`) {
		t.Errorf("a VM on a host that is disabled: %v", err)
	}
	create("network", &network.Network{Object: object("lan")})
	create("nic", &nic.NIC{Object: object("eth0"), NetworkID: "lan"})
	nics, _ := s.engine.Kind("nic")
	if _, err := nics.Fire(ctx, "eth0", nic.ReservationRequested); err != nil {
		t.Fatal(err)
	}
	networks, _ := s.engine.Kind("network")
	if _, err := networks.Fire(ctx, "lan", network.DeleteRequested); err == nil || !strings.Contains(err.Error(), "held by nic/eth0 (reserving)") {
		t.Errorf("a network in use is deleted: %v", err)
	}
}
