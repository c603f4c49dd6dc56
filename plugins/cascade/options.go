package cascade

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/cloudbus-go/cloudbus/plugins"
)

// Options of New. The zero value applies the default rules. The server's configuration for "cascade" goes over them, key by key.
type Options struct {
	Rules   []Rule   `json:"rules"`   // Instead of the default ones. Defaults to those of DefaultRules whose kinds are registered.
	Extra   []Rule   `json:"extra"`   // Beside them. Defaults to none.
	Disable []string `json:"disable"` // Names of rules that are left out. Defaults to none.

	Guard  *Guard   `json:"-"`      // The server's guard, whose rules Init checks against the registered kinds. Defaults to none.
	Forbid []Forbid `json:"forbid"` // Instead of the guard's. Defaults to leaving those.

	Depth int              `json:"depth"` // How many consequences a chain of causes may have; 1 to 64. Defaults to 16.
	Tries int              `json:"tries"` // How often an event is tried before it is parked. Defaults to 8.
	Pause plugins.Duration `json:"pause"` // After the first try; it doubles up to 30s. Defaults to 100ms.
}

// OptionError: a rule or an option is wrong. NewGuard and Init return it.
type OptionError struct {
	Option string // as in the configuration: rules.vm_nics.by
	Reason string
	Known  []string // what is allowed, if that can be listed
}

func (e *OptionError) Error() string {
	s := fmt.Sprintf("cascade: option %s %s", e.Option, e.Reason)
	if e.Known != nil {
		s += fmt.Sprintf(" (allowed: %s)", strings.Join(e.Known, ", "))
	}
	return s
}

const maxReason = 256

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// checkName refuses names that are none, or taken.
func checkName(list string, at int, name string, taken map[string]bool) error {
	if !nameForm.MatchString(name) {
		return &OptionError{Option: fmt.Sprintf("%s[%d].name", list, at), Reason: fmt.Sprintf("%.100q doesn't match %s", name, nameForm)}
	}
	if taken[name] {
		return &OptionError{Option: list + "." + name, Reason: "is there twice"}
	}
	taken[name] = true
	return nil
}

func texts[S ~string](names []S) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	return out
}
