package fsm_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// facts is the subject of the guards below: whether the one of that name holds.
type facts func(guard string) bool

// edges reads rows of "states: trigger[guard]→target · trigger→target".
func edges(rows string) []fsm.Edge {
	var out []fsm.Edge
	for row := range strings.SplitSeq(strings.TrimSpace(rows), "\n") {
		states, triggers, _ := strings.Cut(row, ": ")
		var from []fsm.State
		for s := range strings.SplitSeq(states, ", ") {
			from = append(from, fsm.State(strings.TrimSpace(s)))
		}
		for edge := range strings.SplitSeq(triggers, " · ") {
			on, to, _ := strings.Cut(edge, "→")
			on, guard, guarded := strings.Cut(strings.TrimSuffix(on, "]"), "[")
			e := fsm.Edge{From: from, On: fsm.Trigger(on), To: fsm.State(to)}
			if guarded {
				e.If = fsm.If(guard, func(f facts) bool { return f(guard) })
			}
			out = append(out, e)
		}
	}
	return out
}

// observed is a kind whose state is what was last reported.
func observed(kind string, final fsm.State, states ...fsm.State) fsm.Spec {
	s := fsm.Spec{Kind: kind, Initial: states[:1], Final: fsm.States(final)}
	for _, to := range append(states, final) {
		on := fsm.Trigger("report_" + to)
		s.Edges = append(s.Edges, fsm.Edge{From: fsm.States(to), On: on, To: fsm.Same})
		for _, from := range states {
			if from != to {
				s.Edges = append(s.Edges, fsm.Edge{From: fsm.States(from), On: on, To: to})
			}
		}
	}
	return s
}

// lifecycles are machines of a cloud, to try all that a table can say.
func lifecycles() []fsm.Spec {
	return []fsm.Spec{
		{
			Kind: "vm", Initial: fsm.States("stopped"), Final: fsm.States("expunged"),
			Limits: map[fsm.State]time.Duration{"starting": 10 * time.Minute, "stopping": 10 * time.Minute, "migrating": 2 * time.Hour, "expunging": 24 * time.Hour},
			Edges: edges(`
				stopped: start_requested→starting · migration_requested→migrating · expunge_requested→expunging · creation_failed[never_ran]→error · report_stopped→=
				starting: operation_succeeded→running · operation_failed→origin · operation_retried→=
				running: stop_requested→stopping · migration_requested→migrating · report_stopped→stopped · start_requested→=
				stopping: operation_succeeded→stopped · operation_failed→origin
				migrating: operation_succeeded→origin · operation_failed→origin · report_running→=
				error: expunge_requested→expunging
				expunging: operation_succeeded→expunged · operation_failed→expunging
				expunged: report_stopped→=`),
		},
		{
			Kind: "volume", Initial: fsm.States("allocated"), Final: fsm.States("expunged"),
			Limits: map[fsm.State]time.Duration{"creating": 30 * time.Minute, "uploading": 24 * time.Hour, "copying": 12 * time.Hour, "restoring": 12 * time.Hour, "expunging": 24 * time.Hour},
			Edges: edges(`
				allocated: create_requested→creating · upload_requested→uploading · destroy_requested→destroyed
				creating, restoring, copying: operation_succeeded→ready · operation_failed→origin
				ready: destroy_requested[detached]→destroyed
				uploading: operation_succeeded→uploaded · operation_failed→upload_failed · operation_timed_out→upload_failed
				uploaded: copy_requested→copying · destroy_requested→destroyed
				upload_failed: destroy_requested→destroyed · upload_requested→uploading
				destroyed: recovery_requested[created]→ready · recovery_requested[uploaded]→uploaded · recovery_requested→allocated · restore_requested→restoring · expunge_requested→expunging
				expunging: operation_succeeded→expunged · operation_failed→expunging
				expunged: expunge_requested→=`),
		},
		{
			Kind: "nic", Initial: fsm.States("allocated"), Final: fsm.States("deleted"),
			Limits: map[fsm.State]time.Duration{"reserving": 5 * time.Minute, "releasing": 5 * time.Minute},
			Edges: edges(`
				allocated: reservation_requested→reserving · delete_requested→deleted · release_requested→=
				reserving: operation_succeeded→reserved · operation_failed→origin · cancel_requested→origin · reservation_requested→=
				reserved: release_requested→releasing · reservation_requested→=
				releasing: operation_succeeded→allocated · operation_failed→origin · release_requested→=
				deleted: delete_requested→=`),
		},
		{
			Kind: "network", Initial: fsm.States("allocated", "setup"), Final: fsm.States("deleted"),
			Limits: map[fsm.State]time.Duration{"implementing": 30 * time.Minute, "shutting_down": 30 * time.Minute},
			Edges: edges(`
				allocated: implement_requested→implementing · delete_requested→deleted · shutdown_requested→=
				setup: delete_requested→deleted
				implementing: operation_succeeded→implemented · operation_failed→shutting_down · implement_requested→=
				implemented: shutdown_requested→shutting_down · implement_requested→=
				shutting_down: operation_succeeded→allocated · operation_failed→shutting_down · shutdown_requested→=
				deleted: delete_requested→=`),
		},
		{
			Kind: "public_ip", Initial: fsm.States("free"), Endless: true,
			Limits: map[fsm.State]time.Duration{"allocating": 5 * time.Minute, "releasing": 5 * time.Minute},
			Edges: edges(`
				free: allocate_requested→allocating · reserve_requested→reserved · release_requested→= · unreserve_requested→=
				allocating: operation_succeeded→allocated · operation_failed→origin
				allocated: release_requested→releasing
				releasing: operation_succeeded→free · operation_failed→origin · release_requested→=
				reserved: unreserve_requested→free · allocate_requested→allocating · reserve_requested→=`),
		},
		{
			Kind: "snapshot", Initial: fsm.States("allocated"), Final: fsm.States("deleted"),
			Limits: map[fsm.State]time.Duration{"creating": 2 * time.Hour, "backing_up": 24 * time.Hour, "copying": 24 * time.Hour, "destroying": 24 * time.Hour},
			Edges: edges(`
				allocated: create_requested→creating · destroy_requested→destroying
				creating: operation_succeeded→created · operation_skipped→backed_up · operation_failed→error · create_requested→=
				created: backup_requested→backing_up · destroy_requested→destroying · create_requested→=
				backing_up: operation_succeeded→backed_up · operation_failed→origin · backup_requested→=
				backed_up: copy_requested→copying · backup_requested→backing_up · destroy_requested→destroying
				copying: operation_succeeded→backed_up · operation_failed→origin
				error: destroy_requested→destroying
				destroying: operation_succeeded→deleted · operation_failed→destroying · destroy_requested→=
				deleted: destroy_requested→=`),
		},
		{
			Kind: "template", Initial: fsm.States("not_uploaded", "active"), Final: fsm.States("deleted"),
			Limits: map[fsm.State]time.Duration{"uploading": 24 * time.Hour},
			Edges: edges(`
				not_uploaded: upload_requested→uploading · operation_succeeded→active · operation_failed→upload_failed
				uploading: operation_succeeded→active · operation_failed→upload_failed · operation_timed_out→upload_failed
				active: deactivate_requested→inactive · activate_requested→=
				inactive: activate_requested→active · delete_requested→deleted · deactivate_requested→=
				upload_failed: upload_requested→uploading · delete_requested→deleted
				deleted: delete_requested→=`),
		},
		{
			Kind: "host", Initial: fsm.States("connecting"), Final: fsm.States("removed"),
			Limits:  map[fsm.State]time.Duration{"connecting": 10 * time.Minute, "rebalancing": 10 * time.Minute},
			Succeed: []fsm.Trigger{"agent_ready", "rebalance_completed"},
			Fail:    []fsm.Trigger{"agent_disconnected", "rebalance_failed"},
			Edges: edges(`
				connecting: agent_ready→up · ping_timed_out→alert · agent_disconnected→alert · shutdown_requested→disconnected · host_down→down · ping→= · agent_connected→=
				up: ping→= · agent_connected→connecting · ping_timed_out→alert · agent_disconnected→alert · shutdown_requested→disconnected · host_down→down · rebalance_requested→rebalancing · remove_requested→removed
				disconnected: agent_connected→connecting · ping→up · host_down→down · waited_too_long→alert · remove_requested→removed · agent_disconnected→= · shutdown_requested→= · ping_timed_out→=
				alert: agent_connected→connecting · ping→up · host_down→down · shutdown_requested→disconnected · remove_requested→removed · agent_disconnected→= · ping_timed_out→=
				down: agent_connected→connecting · remove_requested→removed · host_down→= · agent_disconnected→= · ping_timed_out→=
				rebalancing: rebalance_completed→connecting · rebalance_failed→disconnected · agent_connected→connecting · host_down→down · agent_disconnected→=
				removed: remove_requested→=`),
		},
		{
			Kind: "host_admin", Initial: fsm.States("enabled"), Final: fsm.States("removed"),
			Limits: map[fsm.State]time.Duration{"preparing_maintenance": 6 * time.Hour},
			Edges: edges(`
				enabled: disable_requested→disabled · maintenance_requested→preparing_maintenance · enable_requested→=
				disabled: enable_requested→enabled · maintenance_requested→preparing_maintenance · remove_requested→removed · disable_requested→=
				preparing_maintenance: operation_succeeded→maintenance · operation_failed→error · cancel_requested→origin · maintenance_requested→=
				maintenance: cancel_requested→enabled · remove_requested→removed · maintenance_requested→=
				error: maintenance_requested→preparing_maintenance · cancel_requested→enabled · disable_requested→disabled
				removed: remove_requested→=`),
		},
		observed("container", "deleted", "pending", "running", "succeeded", "failed", "unknown"),
		observed("cluster", "deleted", "creating", "active", "updating", "degraded", "failed", "deleting"),
	}
}

func TestLifecyclesOfACloudAreAccepted(t *testing.T) {
	for _, s := range lifecycles() {
		t.Run(s.Kind, func(t *testing.T) {
			if faults := faultsOf(t, s); len(faults) > 0 {
				t.Errorf("faults:\n%s", strings.Join(faults, "\n"))
			}
		})
	}
}

// TestInitialTransitionalStatesHaveNoOrigin: a host begins in the middle of its first connection.
func TestInitialTransitionalStatesHaveNoOrigin(t *testing.T) {
	for _, s := range lifecycles() {
		if s.Kind != "host" {
			continue
		}
		m := fsm.MustNew(s)
		step, err := m.Next("connecting", "", "ping", nil)
		if want := (fsm.Step{To: "connecting"}); err != nil || step != want {
			t.Errorf("a ping: %+v, %v", step, err)
		}
		step, err = m.Next("connecting", "", "agent_ready", nil)
		if want := (fsm.Step{To: "up", Moved: true}); err != nil || step != want {
			t.Errorf("ready: %+v, %v", step, err)
		}
		step, err = m.Next("rebalancing", "up", "rebalance_completed", nil)
		if want := (fsm.Step{To: "connecting", Origin: "up", Moved: true}); err != nil || step != want {
			t.Errorf("rebalanced: %+v, %v", step, err)
		}
		return
	}
	t.Fatal("there is no host")
}
