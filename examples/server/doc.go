// Command server is a small management server built on Cloudbus: VMs, volumes, NICs and networks in an SQLite file, their
// events in the journal beside them and, through the bridge, on NATS; an HTTP API; and a simulated hypervisor that carries
// the operations out.
//
// Run without arguments it serves until it is told to stop. With -replay it also reads the log of an OpenStack nova-compute
// node as reports about VMs, and with -once it ends after that and prints what came out as one JSON object.
//
// Exit codes:
//
//	0    stopped in good order (SIGTERM, SIGINT), or the replay is complete
//	1    it could not start, or the replay is not complete; the last line on standard error says why
//	2    wrong flags or arguments
//	130  a second signal came while it was stopping
package main
