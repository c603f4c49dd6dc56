// Package metrics counts what an engine and its bus do, for Prometheus.
//
//	m, err := metrics.New(metrics.Options{Registerer: registry})
//	engine, err := resources.New(resources.Options{Listeners: []resources.Listener{listeners.Post(), m}, ...})
//	err = m.Watch(engine)   // resources by state, bus, journal and writer; before anything is fired
//	err = m.WatchPlugins(manager.Metrics())
//	defer m.Close(ctx)      // before the store is closed
//
// # What there is
//
//	cloudbus_transitions_total{kind,trigger,result}                calls of Fire
//	cloudbus_transition_duration_seconds{kind,result}              how long they took, listeners and commit included
//	cloudbus_creations_total, _updates_total, _removals_total{kind,result}
//	cloudbus_transitional_state_seconds{kind,state,trigger}        stays in transitional states, by the trigger that ended them
//	cloudbus_stuck_total{kind,state}                               reports of this engine that a resource is stuck
//	cloudbus_resources{kind,state}                                 resources, as the store counted them last
//	cloudbus_resources_counted_timestamp_seconds{kind}             when that was
//	cloudbus_resources_counting_seconds{kind}                      how long it took
//	cloudbus_resources_counting_failures_total{kind}               counts that failed, or took too long
//	cloudbus_engine_conflicts_total, cloudbus_engine_lifted_times_total
//	cloudbus_bus_published_total                                   live events
//	cloudbus_bus_clients
//	cloudbus_journal_up                                            1 while the journal can be read
//	cloudbus_journal_events_total                                  recorded events: the newest one's number
//	cloudbus_journal_unshown_events                                recorded events that live subscriptions weren't offered yet
//	cloudbus_writer_commits_total, _members_total, _failures_total, cloudbus_writer_waiting_members{priority}
//	cloudbus_subscriptions{client,subscription,mode,state}         how many there are, by state: running, standby, closing, halted
//	cloudbus_subscription_delivered_total, _dropped_total, _coalesced_total, _failures_total, _retries_total,
//	_ignored_live_events_total{client,subscription,mode}
//	cloudbus_subscription_queued_events, _queue_capacity_events, _oldest_event_seconds, _lag_events, _parked_resources,
//	_running_seconds, _slowest_seconds{client,subscription,mode}
//	cloudbus_plugin_<figure>{plugin}                               what plugins count: cloudbus_plugin_sent{plugin="bridge_nats"}
//
// A result is one of listeners.Results. A mode is how a subscription reads: live, from, durable or batch.
//
// # Labels are bounded
//
// No label is a tenant's, a resource's or an actor's. Kinds, states and triggers are those of the machines: a trigger that the kind's
// machine doesn't have counts as "unknown". (Until Watch no machine is known, and each trigger is.) Subscriptions have the names that the
// program gave them, bus.Name or a durable one. Those without one, such as each request of an event stream makes, are one series of their
// client, with subscription="": their numbers are sums, of ages and lags the largest. Names must not be made of what requests bring.
//
// # A scrape is cheap
//
// What is counted on the way costs two atomic additions a call. Resources are counted by their store, at a scrape, one count at a time
// however many scrapes there are, at most every Options.CountEvery, and so that counting takes a twentieth of the time at most.
// A scrape waits for a count for Options.CountWait; then it gets the numbers of before. A count that fails is counted, and its kind
// keeps the numbers of before: the timestamp tells how old they are.
//
// The rest is of this process. Of several servers on one database each counts its own changes, but all tell the same
// cloudbus_resources and cloudbus_journal_events_total: take the max of those, and the sum of others.
package metrics
