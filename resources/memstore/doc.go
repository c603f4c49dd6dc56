// Package memstore keeps resources and their journal in memory: for tests, examples and servers that may forget.
//
// It gives what every store gives: one writer, members that are committed whole or not at all, a journal whose numbers rise in commit
// order without holes. Nothing survives the process.
//
//	store := memstore.New(memstore.Options{})
//	b := bus.New(bus.Options{Journal: store.Journal()})
//	engine, err := resources.New(resources.Options{Store: store, Bus: b, Listeners: []resources.Listener{listeners.Post()}})
package memstore
