package status_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func stringReader(s string) io.Reader { return strings.NewReader(s) }

// TestOnPostgres runs the tests of servers again; the others are about providers, who have no such database.
func TestOnPostgres(t *testing.T) {
	postgrestest.Again(t, "Test(AChange|ACrashAfter|AFailing|ALong|ALost|AStatus|ARestart|Aliases|BuiltIn|Capacity|Close|Debounce|Decode|Embedders|Encode|File|Final|Fire|Flap|"+
		"Nothing|OneStuck|Repeats|Reporter|Reports|Sequences|Service|Tables|TheLast|TheSame|Words|OnPostgres|Killed|AKill|TheLists).*|Fuzz.*|Example.*")
}

// say is what a provider says of a VM so many seconds after the test's noon.
func (s *site) say(n int, id, word string) bridge.Letter {
	at := s.clock.now().Add(time.Duration(n) * time.Millisecond)
	return told{
		id: fmt.Sprintf("%s-%d-%s", id, n, word), source: "dcm/providers/east", kind: "vm", resource: id, status: word, at: at, sequence: at.UnixNano(),
	}.letter()
}

func TestAReportMovesTheResource(t *testing.T) {
	s := newSite(t).start()
	s.vm("a")
	s.publish(s.say(1, "a", "RUNNING"), s.say(2, "a", "PAUSED"), s.say(3, "a", "STOPPED"), s.say(4, "a", "ERROR"), s.say(5, "a", "RUNNING"))
	if got := s.state("vm", "a"); got != vm.Running {
		t.Errorf("the VM is %s", got)
	}
	want := []string{"a vm.state.running", "a vm.state.paused", "a vm.state.stopped", "a vm.state.running"}
	if got := s.events("vm.state.>"); !slices.Equal(got, want) {
		t.Errorf("moves %q, want %q", got, want)
	}
	if got := s.events("status.vm.observed"); len(got) != 5 {
		t.Errorf("observations %q, want 5", got)
	}
	seen, err := s.ingest.Observed(t.Context(), "vm", "a")
	if err != nil || seen.Status != status.Running || seen.Provider != "east" || seen.Tenant != "acme" || seen.State != vm.Running || seen.Message != "said by a test" ||
		!seen.Time.Equal(s.clock.now().Add(5*time.Millisecond)) {
		t.Errorf("seen %+v, %v", seen, err)
	}
	if c := s.ingest.Stats(); c.Applied != 5 || c.Refused != 0 || c.Received != 5 {
		t.Errorf("counted %+v", c)
	}
}
