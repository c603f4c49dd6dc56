package plugins

import (
	"context"
	"io/fs"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Plugin is a guest of the server. Its methods are called by one [Manager], each at most once, never two at a time unless one of them didn't heed its context.
type Plugin interface {
	// Name is the plugin's identity: [a-z][a-z0-9_]*, at most 32 bytes. It names its client, its section of the configuration and its migrations, so it must never change.
	Name() string
	// Init makes the plugin ready: read the configuration, register payload types and routes. ctx ends with Init; what lives longer belongs to rt.Go. rt may be kept.
	Init(ctx context.Context, rt *Runtime) error
	// Subscribe is called when every plugin's Init has returned. The client is the plugin's own and is closed for it.
	Subscribe(c *bus.Client) error
	// Close frees what Init got. It's called once if Init was called, also if Init or Subscribe failed. The plugin's subscriptions, requests and goroutines have ended by then,
	// unless ctx has too.
	Close(ctx context.Context) error
}

// Base is embedded by plugins that don't need every method.
type Base struct{}

// Init does nothing.
func (Base) Init(context.Context, *Runtime) error { return nil }

// Subscribe does nothing.
func (Base) Subscribe(*bus.Client) error { return nil }

// Close does nothing.
func (Base) Close(context.Context) error { return nil }

type (
	// Healther is implemented by plugins that can tell whether they are well: nil, or what is wrong. It's called for each [Manager.Status], from any goroutine, while the plugin runs.
	Healther interface {
		Health(ctx context.Context) error
	}
	// Drainer is implemented by plugins whose handlers wait for something outside of the server, a broker say. Drain is called when the plugin begins to close, if its Subscribe was called:
	// before its subscriptions are drained, which waits for the handlers that run. It tells them to come to an end, and may wait for them.
	Drainer interface {
		Drain(ctx context.Context) error
	}
	// Migrator is implemented by plugins with tables: goose's *.sql files at the root of the FS, portable between SQLite and PostgreSQL, or in folders sqlite and postgres where they differ.
	// They are applied before Init. Tables should carry the plugin's name as a prefix.
	Migrator interface{ Migrations() fs.FS }
)
