package host

import (
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Kind is the name of the kind.
const Kind = "host"

// States.
const (
	Connecting   fsm.State = "connecting"
	Up           fsm.State = "up"
	Disconnected fsm.State = "disconnected"
	Alert        fsm.State = "alert"
	Down         fsm.State = "down"
	Rebalancing  fsm.State = "rebalancing"
	Removed      fsm.State = "removed"
)

// Triggers: what the agent and the investigators tell, and what is asked for.
const (
	AgentConnected    fsm.Trigger = "agent_connected"
	AgentReady        fsm.Trigger = "agent_ready"
	AgentDisconnected fsm.Trigger = "agent_disconnected"
	Ping              fsm.Trigger = "ping"
	PingTimedOut      fsm.Trigger = "ping_timed_out"
	WaitedTooLong     fsm.Trigger = "waited_too_long"
	HostDown          fsm.Trigger = "host_down"

	ShutdownRequested  fsm.Trigger = "shutdown_requested"
	RemoveRequested    fsm.Trigger = "remove_requested"
	RebalanceRequested fsm.Trigger = "rebalance_requested"
	RebalanceCompleted fsm.Trigger = "rebalance_completed"
	RebalanceFailed    fsm.Trigger = "rebalance_failed"
)

// Machine is the lifecycle of a host's connection.
var Machine = fsm.MustNew(fsm.Spec{
	Kind:    Kind,
	Initial: fsm.States(Connecting),
	Final:   fsm.States(Removed),
	Limits: map[fsm.State]time.Duration{
		Connecting:  10 * time.Minute,
		Rebalancing: 10 * time.Minute,
	},
	Succeed: []fsm.Trigger{AgentReady, RebalanceCompleted},
	Fail:    []fsm.Trigger{AgentDisconnected, RebalanceFailed},
	Edges: []fsm.Edge{
		{From: fsm.States(Connecting), On: AgentReady, To: Up},
		{From: fsm.States(Connecting), On: PingTimedOut, To: Alert},
		{From: fsm.States(Connecting), On: AgentDisconnected, To: Alert},
		{From: fsm.States(Connecting), On: ShutdownRequested, To: Disconnected},
		{From: fsm.States(Connecting), On: HostDown, To: Down},
		{From: fsm.States(Connecting), On: Ping, To: fsm.Same},
		{From: fsm.States(Connecting), On: AgentConnected, To: fsm.Same},

		{From: fsm.States(Up), On: Ping, To: fsm.Same},
		{From: fsm.States(Up), On: AgentConnected, To: Connecting},
		{From: fsm.States(Up), On: PingTimedOut, To: Alert},
		{From: fsm.States(Up), On: AgentDisconnected, To: Alert},
		{From: fsm.States(Up), On: ShutdownRequested, To: Disconnected},
		{From: fsm.States(Up), On: HostDown, To: Down},
		{From: fsm.States(Up), On: RebalanceRequested, To: Rebalancing},
		{From: fsm.States(Up), On: RemoveRequested, To: Removed},

		{From: fsm.States(Disconnected), On: AgentConnected, To: Connecting},
		{From: fsm.States(Disconnected), On: Ping, To: Up},
		{From: fsm.States(Disconnected), On: HostDown, To: Down},
		{From: fsm.States(Disconnected), On: WaitedTooLong, To: Alert},
		{From: fsm.States(Disconnected), On: RemoveRequested, To: Removed},
		{From: fsm.States(Disconnected), On: AgentDisconnected, To: fsm.Same},
		{From: fsm.States(Disconnected), On: ShutdownRequested, To: fsm.Same},
		{From: fsm.States(Disconnected), On: PingTimedOut, To: fsm.Same},

		{From: fsm.States(Alert), On: AgentConnected, To: Connecting},
		{From: fsm.States(Alert), On: Ping, To: Up},
		{From: fsm.States(Alert), On: HostDown, To: Down},
		{From: fsm.States(Alert), On: ShutdownRequested, To: Disconnected},
		{From: fsm.States(Alert), On: RemoveRequested, To: Removed},
		{From: fsm.States(Alert), On: AgentDisconnected, To: fsm.Same},
		{From: fsm.States(Alert), On: PingTimedOut, To: fsm.Same},

		// Down was found out, so a ping doesn't end it: a new connection does.
		{From: fsm.States(Down), On: AgentConnected, To: Connecting},
		{From: fsm.States(Down), On: RemoveRequested, To: Removed},
		{From: fsm.States(Down), On: HostDown, To: fsm.Same},
		{From: fsm.States(Down), On: AgentDisconnected, To: fsm.Same},
		{From: fsm.States(Down), On: PingTimedOut, To: fsm.Same},

		// The agent connects anew, to another server.
		{From: fsm.States(Rebalancing), On: RebalanceCompleted, To: Connecting},
		{From: fsm.States(Rebalancing), On: RebalanceFailed, To: Disconnected},
		{From: fsm.States(Rebalancing), On: AgentConnected, To: Connecting},
		{From: fsm.States(Rebalancing), On: HostDown, To: Down},
		{From: fsm.States(Rebalancing), On: AgentDisconnected, To: fsm.Same},

		{From: fsm.States(Removed), On: RemoveRequested, To: fsm.Same},
	},
})
