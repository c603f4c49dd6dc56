// Package host is the kind of hosts, as the server's connection to each shows them. Whether a host takes new VMs is its
// administration's to say: package hostadmin, a resource of its own with the same id.
//
// A connection ends well with agent_ready, a rebalancing with rebalance_completed; agent_disconnected and rebalance_failed end them badly.
//
// The machine; "=" stands before what is accepted without effect:
//
//	stateDiagram-v2
//	[*] --> connecting
//	connecting --> up: agent_ready
//	connecting --> alert: ping_timed_out, agent_disconnected
//	connecting --> disconnected: shutdown_requested
//	connecting --> down: host_down
//	connecting --> connecting: = ping, agent_connected
//	up --> up: = ping
//	up --> connecting: agent_connected
//	up --> alert: ping_timed_out, agent_disconnected
//	up --> disconnected: shutdown_requested
//	up --> down: host_down
//	up --> rebalancing: rebalance_requested
//	up --> removed: remove_requested
//	disconnected --> connecting: agent_connected
//	disconnected --> up: ping
//	disconnected --> down: host_down
//	disconnected --> alert: waited_too_long
//	disconnected --> removed: remove_requested
//	disconnected --> disconnected: = agent_disconnected, shutdown_requested, ping_timed_out
//	alert --> connecting: agent_connected
//	alert --> up: ping
//	alert --> down: host_down
//	alert --> disconnected: shutdown_requested
//	alert --> removed: remove_requested
//	alert --> alert: = agent_disconnected, ping_timed_out
//	down --> connecting: agent_connected
//	down --> removed: remove_requested
//	down --> down: = host_down, agent_disconnected, ping_timed_out
//	rebalancing --> connecting: rebalance_completed, agent_connected
//	rebalancing --> disconnected: rebalance_failed
//	rebalancing --> down: host_down
//	rebalancing --> rebalancing: = agent_disconnected
//	removed --> removed: = remove_requested
//	removed --> [*]
//	classDef transitional stroke-dasharray: 4 3
//	class connecting,rebalancing transitional
package host
