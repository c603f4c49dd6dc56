// Package plugins lets guests live in a server: a [Plugin] is given a [Runtime] (logger, clock, database, HTTP routes, metrics, configuration,
// goroutines) and a client of the bus, and a [Manager] starts, watches and closes it.
//
//	m, err := plugins.NewManager(plugins.Options{Bus: b, Mux: mux, Config: config})
//	err = m.Add(usage.New(usage.Options{}), plugins.Required())
//	err = m.Add(mailer{})
//	err = m.Start(ctx)
//	defer m.Close(ctx)
//
// # Order
//
// Start runs the migrations and Init of each plugin in the order in which they were added, then Subscribe of each: whatever a handler of one plugin causes, every
// other plugin is ready for it. Close goes the other way round. For each plugin its HTTP handlers are shut first (503), its handlers of events told to end if
// they wait for something outside ([Drainer]), its subscriptions drained, then its requests and goroutines cancelled and waited for, and last its Close is
// called, when nothing of it runs any more.
//
// # Isolation
//
// A plugin's methods run on goroutines of their own, recovered, so that neither an error nor a panic, runtime.Goexit or hang of a guest becomes the server's. An
// error or panic of its migrations, Init, Subscribe or a goroutine disables the plugin: its subscriptions, routes, requests and goroutines end, Close is called, and
// [Status] says why. The others never notice. Only a plugin added with [Required] makes Start fail, which then closes what had been started.
//
// A panic in an HTTP handler costs that request (500, logged, counted), and one in Health is its answer; neither disables: whoever can send a
// request could otherwise switch a plugin off. A handler of the bus that fails is the subscription's business (see package bus); a subscription that has halted shows in the status.
//
// # Close after a half-finished start
//
// Close is called exactly once for each plugin whose Init was called, also if that Init failed, panicked or never returned.
//
// # Deadlines
//
// Start and Close wait for a method no longer than their context allows, plus a moment of grace for those who heed it. What doesn't return in time is named in the
// error (*UnfinishedError), and left behind. A slow plugin uses up its share of Close's time, not that of the others.
//
// # Configuration
//
// Keys that a plugin doesn't know, configuration for one that reads none, and configuration for a plugin that isn't there are errors that name what is known.
package plugins
