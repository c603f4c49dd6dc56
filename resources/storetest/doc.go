// Package storetest is the suite that each resources.Store must pass.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) resources.Store { return mystore.Open(t.TempDir()) })
//	}
//
// It uses a kind of its own, Gadget, whose table has a column of each sort. Stores that need a table run its migrations.
package storetest
