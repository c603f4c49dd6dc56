package alerts

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

// Options of New. The zero value watches the built-in kinds. The server's configuration for "alerts" goes over them, key by key.
type Options struct {
	Machines    []*fsm.Machine `json:"-"`            // Of the watched kinds, beside or instead of the built-in ones. Defaults to none.
	Stuck       Stuck          `json:"stuck"`        // The rule "stuck".
	FailureRate FailureRate    `json:"failure_rate"` // The rule "failure_rate".
	Unclaimed   Unclaimed      `json:"unclaimed"`    // The rule "unclaimed".
}

// Stuck configures the rule "stuck". Limits are the engine's: resources.Limit changes them.
type Stuck struct {
	Disabled bool   `json:"disabled"` // Raises nothing; what is active is still cleared. Defaults to false.
	Severity string `json:"severity"` // Defaults to warning.
}

// FailureRate configures the rule "failure_rate".
type FailureRate struct {
	Disabled     bool             `json:"disabled"`      // Defaults to false.
	Window       plugins.Duration `json:"window"`        // How far it looks back, in steps of a sixtieth. Defaults to 5m.
	MinFailures  int64            `json:"min_failures"`  // Fewer raise nothing. Defaults to 5.
	RaisePercent int64            `json:"raise_percent"` // From this share of failures on it's raised. Defaults to 50.
	ClearPercent int64            `json:"clear_percent"` // Below this share it's cleared. Defaults to 25, or raise_percent if that is less.
	Severity     string           `json:"severity"`      // Defaults to critical.
}

// Unclaimed configures the rule "unclaimed". How long a position waits, and when it is warned of, are the journal's: journal.Retention.
type Unclaimed struct {
	Disabled bool   `json:"disabled"` // Raises nothing; what is active is still cleared. Defaults to false.
	Severity string `json:"severity"` // Defaults to warning.
}

// OptionError: options or configuration are wrong. Init returns it.
type OptionError struct {
	Option string // as in the configuration: failure_rate.window
	Reason string
	Known  []string // what is allowed, if that can be listed
}

func (e *OptionError) Error() string {
	s := fmt.Sprintf("alerts: option %s %s", e.Option, e.Reason)
	if e.Known != nil {
		s += fmt.Sprintf(" (allowed: %s)", strings.Join(e.Known, ", "))
	}
	return s
}

// machines returns the machines by kind.
func (o *Options) machines() (map[string]*fsm.Machine, error) {
	all := make(map[string]*fsm.Machine)
	for _, m := range append([]*fsm.Machine{vm.Machine, volume.Machine, nic.Machine, network.Machine}, o.Machines...) {
		if m == nil {
			return nil, &OptionError{Option: "Machines", Reason: "has one that is nil"}
		}
		all[m.Kind()] = m
	}
	return all, nil
}

func (o *Options) setDefaults() {
	orDefault(&o.Stuck.Severity, Warning)
	orDefault(&o.Unclaimed.Severity, Warning)
	f := &o.FailureRate
	orDefault(&f.Window, plugins.Duration(5*time.Minute))
	orDefault(&f.MinFailures, 5)
	orDefault(&f.RaisePercent, 50)
	orDefault(&f.Severity, Critical)
}

func (o *Options) check() error {
	f := o.FailureRate
	for _, c := range []struct {
		holds          bool
		option, reason string
	}{
		{time.Duration(f.Window) >= time.Second, "failure_rate.window", "is below 1s"},
		{f.MinFailures > 0, "failure_rate.min_failures", "is not above 0"},
		{f.RaisePercent > 0 && f.RaisePercent <= 100, "failure_rate.raise_percent", "is not in 1 to 100"},
		{f.ClearPercent > 0 && f.ClearPercent <= f.RaisePercent, "failure_rate.clear_percent", "is not in 1 to raise_percent"},
	} {
		if !c.holds {
			return &OptionError{Option: c.option, Reason: c.reason}
		}
	}
	severities := []string{Warning, Critical}
	for option, severity := range map[string]string{
		"stuck.severity": o.Stuck.Severity, "failure_rate.severity": f.Severity, "unclaimed.severity": o.Unclaimed.Severity,
	} {
		if !slices.Contains(severities, severity) {
			return &OptionError{Option: option, Reason: fmt.Sprintf("is %q", severity), Known: severities}
		}
	}
	return nil
}

func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func sortedKeys[K ~string, V any](m map[K]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, string(k))
	}
	slices.Sort(keys)
	return keys
}
