package plugintest

import (
	"encoding/json"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// Option of Run.
type Option func(*suite)

// Database says how to open a bus with a journal in a new, empty database, and close both with t.Cleanup. Defaults to a bus without a journal.
func Database(open func(t testing.TB) *bus.Bus) Option {
	return func(s *suite) { s.open = open }
}

// Config is a valid configuration for the plugin, in JSON. Defaults to none.
func Config(section string) Option {
	return func(s *suite) { s.config = json.RawMessage(section) }
}

// Feed makes events that the plugin handles, while it runs on b. It may register payload types on b, and is called once on each database. Defaults to none, which makes the check
// "replay" an easy one.
func Feed(feed func(t testing.TB, b *bus.Bus)) Option {
	return func(s *suite) { s.feed = feed }
}

// Except names tables of the plugin that may differ after a replay. Defaults to none.
func Except(tables ...string) Option {
	return func(s *suite) { s.except = append(s.except, tables...) }
}

// Run runs the suite. make returns a new plugin each time.
func Run(t *testing.T, make func() plugins.Plugin, opts ...Option) {
	t.Helper()
	s := newSuite(make, opts...)
	for _, c := range checks {
		if c.database && s.open == nil {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(s, t); err != nil {
				t.Error(err)
			}
		})
	}
}

// check is one promise of a plugin; run returns how it's broken.
type check struct {
	name     string
	database bool // needs one
	run      func(s *suite, t testing.TB) error
}

var checks = []check{
	{"name", false, (*suite).name},
	{"start and close", false, (*suite).startAndClose},
	{"another fails", false, (*suite).anotherFails},
	{"unknown configuration", false, (*suite).unknownConfiguration},
	{"no time to close", false, (*suite).noTimeToClose},
	{"two at once", false, (*suite).twoAtOnce},
	{"restart", true, (*suite).restart},
	{"replay", true, (*suite).replay},
}
