package status

import (
	"cmp"
	"log/slog"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
)

// ReporterOptions of a reporter. All but Provider can be left out.
type ReporterOptions struct {
	// Provider is the name of who reports: letters, digits, -, ., _ and ~, at most 128 of them. It is required.
	Provider string
	// Window is how far apart reports of one resource are. Defaults to 500 ms.
	Window time.Duration
	// MaxWait is how long a change of a resource that never stops changing waits at most, should the window be longer. Defaults to 2 s.
	MaxWait time.Duration
	// Resync is how often the status of every resource is sent again though it hasn't changed; below 0 is never. Defaults to 10 minutes.
	Resync time.Duration
	// Capacity is how many resources the reporter keeps in mind. When it is full, the one that was settled for longest is forgotten for a new one. Defaults to 10,000.
	Capacity int
	// Lanes is how many reports are under way at once, each about another resource. Defaults to 64.
	Lanes int
	// Spool keeps what waits, and what was sent last, across restarts. The reporter closes it. Defaults to none.
	Spool Spool
	// FireAndForget names service types whose reports are sent without an acknowledgement and not spooled: some may be lost. Defaults to none.
	FireAndForget []string
	// Logger hears of outages and of what is rejected. Defaults to slog.Default().
	Logger *slog.Logger
	// Now is the time of observations that have none. Defaults to time.Now.
	Now func() time.Time
}

const (
	defaultWindow   = 500 * time.Millisecond
	defaultMaxWait  = 2 * time.Second
	defaultResync   = 10 * time.Minute
	defaultCapacity = 10_000
	defaultLanes    = 64
)

func (o ReporterOptions) withDefaults() (ReporterOptions, error) {
	o.Window = cmp.Or(o.Window, defaultWindow)
	o.MaxWait = cmp.Or(o.MaxWait, defaultMaxWait)
	o.Resync = cmp.Or(o.Resync, defaultResync)
	o.Capacity = cmp.Or(o.Capacity, defaultCapacity)
	o.Lanes = cmp.Or(o.Lanes, defaultLanes)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.FireAndForget = slices.Clone(o.FireAndForget)
	if o.Now == nil {
		o.Now = time.Now
	}
	wrong := func(option string, value any, reason string) (ReporterOptions, error) {
		return o, &bridge.OptionError{Option: option, Value: value, Reason: reason}
	}
	if reason := providerFault(o.Provider); reason != "" {
		return wrong("Provider", o.Provider, reason)
	}
	switch {
	case o.Window < 0:
		return wrong("Window", o.Window, "must not be negative")
	case o.MaxWait < 0:
		return wrong("MaxWait", o.MaxWait, "must not be negative")
	case o.Capacity < 1:
		return wrong("Capacity", o.Capacity, "must be from 1")
	case o.Lanes < 1:
		return wrong("Lanes", o.Lanes, "must be from 1")
	}
	for _, name := range o.FireAndForget {
		if reason := tokenFault(name); reason != "" {
			return wrong("FireAndForget", name, reason)
		}
	}
	return o, nil
}
