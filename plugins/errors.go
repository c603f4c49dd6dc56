package plugins

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrNoDatabase: the plugin needs a database, and the bus has no journal in one.
	ErrNoDatabase = errors.New("plugins: no database: the bus has no journal in one")
	// ErrReadOnly: something tried to write through Runtime.Read; Runtime.Write is for that.
	ErrReadOnly = errors.New("plugins: read-only: writing goes through Runtime.Write")
	// ErrStarted: plugins are added before Start, and Start is called once.
	ErrStarted = errors.New("plugins: manager was started already")
	// ErrClosed: the manager, or the plugin that asks, is closed or disabled.
	ErrClosed = errors.New("plugins: closed")
)

// Phases of a plugin's life, as they appear in [PluginError].
const (
	PhaseMigrate   = "migrate"
	PhaseInit      = "init"
	PhaseSubscribe = "subscribe"
	PhaseRun       = "run"
	PhaseHealth    = "health"
	PhaseClose     = "close"
)

// PluginError says which plugin failed, and in which phase of its life.
type PluginError struct {
	Plugin string
	Phase  string // one of the Phase constants
	Err    error
}

func (e *PluginError) Error() string {
	return fmt.Sprintf("plugins: %s: %s: %v", e.Plugin, e.Phase, e.Err)
}

func (e *PluginError) Unwrap() error { return e.Err }

// PanicError is a panic of a guest. Value nil stands for runtime.Goexit.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string {
	if e.Value == nil {
		return "panic: runtime.Goexit"
	}
	return fmt.Sprintf("panic: %v", e.Value)
}

// Unwrap returns the panic's value if it was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// UnfinishedError names what hadn't returned when the time was up.
type UnfinishedError struct {
	Left []string // methods, routes and goroutines
	Err  error    // why the wait ended
}

func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("still running: %s: %v", strings.Join(e.Left, ", "), e.Err)
}

func (e *UnfinishedError) Unwrap() error { return e.Err }

// NameError: a plugin's name is no name, or taken.
type NameError struct {
	Name   string
	Reason string
}

func (e *NameError) Error() string { return fmt.Sprintf("plugins: name %q %s", e.Name, e.Reason) }

// UnknownPluginError: configuration for a plugin that wasn't added.
type UnknownPluginError struct {
	Name  string
	Known []string
}

func (e *UnknownPluginError) Error() string {
	return fmt.Sprintf("plugins: configuration for unknown plugin %q (known: %s)", e.Name, list(e.Known))
}

// ConfigError: a plugin's configuration is wrong.
type ConfigError struct {
	Plugin  string
	Key     string   // path of the key, "" for the whole
	Reason  string   // what is wrong with it
	Allowed []string // keys allowed in its place, if the key is unknown
	Err     error    // what the decoder said, if it did
}

func (e *ConfigError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "plugins: configuration of %s: ", e.Plugin)
	if e.Key != "" {
		fmt.Fprintf(&b, "key %q: ", e.Key)
	}
	b.WriteString(e.Reason)
	if e.Allowed != nil {
		fmt.Fprintf(&b, " (allowed: %s)", list(e.Allowed))
	}
	return b.String()
}

func (e *ConfigError) Unwrap() error { return e.Err }

// PatternError: a route that net/http's ServeMux doesn't take: malformed, or in conflict with one that is there.
type PatternError struct {
	Plugin  string
	Pattern string
	Reason  string
}

func (e *PatternError) Error() string {
	return fmt.Sprintf("plugins: %s: pattern %q: %s", e.Plugin, e.Pattern, e.Reason)
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
