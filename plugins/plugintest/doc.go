// Package plugintest is the suite that a plugin should pass, whoever wrote it.
//
//	func TestContract(t *testing.T) {
//		plugintest.Run(t, func() plugins.Plugin { return mailer.New() }, plugintest.Database(open))
//	}
//
//	// open returns a bus with a journal in a new database.
//	func open(t testing.TB) *bus.Bus {
//		store, err := sqlite.Open(filepath.Join(t.TempDir(), "test.db"), sqlite.Options{})
//		if err != nil {
//			t.Fatal(err)
//		}
//		b := bus.New(bus.Options{Journal: store.Journal()})
//		t.Cleanup(func() { _ = b.Close(context.Background()); _ = store.Close(context.Background()) })
//		return b
//	}
//
// # What it checks
//
// Each check is a subtest with new plugins, and on a new database if there is one:
//
//   - name: it's valid and every instance has the same one.
//   - start and close: the plugin starts, is well, closes without error, and leaves no goroutine behind. A second Close does no harm.
//   - another fails: it's closed cleanly after Init, if Subscribe never comes because a plugin after it fails.
//   - unknown configuration: a key it doesn't know is refused, and the plugin is closed cleanly after that half-finished start.
//   - no time to close: a Close whose context has ended leaves nothing running for long.
//   - two at once: two servers in one process can have one each.
//   - restart: it starts again on the same database; its migrations apply twice without harm.
//   - replay: after a rewind to the journal's beginning a new instance sees all events again, and the plugin's tables are as before (see [Feed], [Except]).
//
// The last two need a [Database], and so does a plugin that has migrations or reads the journal.
package plugintest
