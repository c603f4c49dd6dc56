// Package status is how providers tell servers what they observe of the resources they run: a VM is RUNNING, a container FAILED, a volume is DELETED.
//
// A provider (a hypervisor's manager, an operator in a cluster, …) publishes each [Observation] as a CloudEvent on the subject dcm.<serviceType> of a broker, and forgets it.
// It knows no server. Servers, billing, auditing and dashboards read the same messages.
//
// # On the wire
//
//	subject          dcm.<serviceType>: dcm.vm
//	type             dcm.status.<serviceType>
//	source           dcm/providers/<name>
//	id               of one observation, the same at every repeat of it; also the message's id for the broker
//	time             when it was observed
//	sequence         the observation's Unix nanoseconds in 20 digits, raised where needed so that it rises for each provider and resource
//	rawstatus        the platform's own word for the status, if it has one
//	data             {"id": "…", "status": "RUNNING", "message": "…"}
//
// [Encode] writes it; [Decode] reads it, and what providers of others send, and says of everything else for which [Reason] it was rejected.
//
// # The provider's side
//
//	reporter, err := status.NewReporter(transport, status.ReporterOptions{Provider: "vcenter-1"})
//	known, listed := status.VMware.Map("poweredOn")
//	err = reporter.Report(ctx, status.Observation{ServiceType: "vm", ID: id, Status: known, Raw: "poweredOn"})
//
// A [Reporter] takes observations at once and sends them in the background:
//
//   - At once if the resource was quiet; then one per [ReporterOptions].Window, always the latest, however long it goes on changing. Final statuses and errors skip the window.
//   - The same status twice in a row isn't sent twice; every status is sent again once in a while ([ReporterOptions].Resync).
//   - At least once, for as long as it takes, with the same id at each attempt. A resource has one report under way at most, so its reports keep their order; resources don't wait for one another.
//   - What waits is bounded: the newest observation of each resource, up to [ReporterOptions].Capacity of them; then Report says [ErrFull].
//   - With a [Spool] an observation is written down before it is sent: a restart during an outage of the broker loses nothing, and what was under way in a crash comes again with its id.
//
// A [Table] maps the words of a platform to statuses. A word that isn't in its rows is counted, logged once and listed.
//
// # The server's side
//
//	ingest, err := status.NewIngest(status.IngestOptions{Transport: transport})
//	engine, err := resources.New(resources.Options{Store: store, Bus: b, Listeners: []resources.Listener{listeners.Post(), ingest.Listener()}})
//	ingest.Use(engine)
//	err = manager.Add(ingest)
//
// [Ingest] is a plugin that takes reports in masses, without getting in the way of those who wait for the database:
//
//   - Strict: a message that isn't a valid CloudEvent 1.0, or whose data doesn't meet the schema of its service type, is rejected for good: counted by [Reason], kept as it came in a bounded
//     quarantine, never delivered again, never written to a resource. Once what was wrong is set right it can be replayed, in its old place ([Ingest.Replay]).
//   - Newest wins: an observation never takes the place of a newer one, whatever the order in which they come and however often; the statement that writes it says so itself. Reports of one
//     source that have sequences are compared by these, all others by their time; where that is equal the stream decides.
//   - Whole: the observation, the move of the resource with its event, and the event [resources.Observed] are one transaction. A report is acknowledged when that has committed.
//   - Own state and observed status stand side by side ([Ingest.Observed]). What a status fires at a resource is data ([Intake]); a report that the machine refuses is observed all the same.
//     Where the two have disagreed for long, an event says so, and another when it is over ([resources.Disagreed]).
//   - A resource that isn't there yet: its newest observation is held, and taken by its Create, so that none falls in between, on several servers either. What is held for long is an orphan
//     ([resources.Orphaned]), and still taken if the resource is made after all.
//   - A resource belongs to the provider that reported it first ([Ingest.HandOver] makes it another's); reports of others are rejected ([resources.Misreported]).
//   - A database that takes nothing is waited for, with nothing lost and the order kept. So is a broker.
package status
