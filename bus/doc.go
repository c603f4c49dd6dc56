// Package bus is a typed, ordered, bounded event bus for one process: publishing never waits for a handler, and what a subscriber may not miss it reads from a journal.
package bus
