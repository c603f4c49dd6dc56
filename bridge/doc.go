// Package bridge republishes the events of a bus to a broker, as CloudEvents.
package bridge
