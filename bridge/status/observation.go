package status

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Observation is what a provider saw of one resource at one time.
type Observation struct {
	ServiceType string    // One token of a-z, 0-9, _ and -: "vm". Those that aren't built in have whatever statuses their servers know.
	ID          string    // Of the resource, as the server knows it; at most 256 bytes
	Status      Status    // A status of the service type, or an alias of one: Running
	Raw         string    // The platform's own word for it: "poweredOn"; "" if there is none
	Message     string    // For people; cut after 4 KiB
	Time        time.Time // When it was observed. Defaults to now.
}

const (
	maxResourceID = 256
	maxRaw        = 256
	maxMessage    = 4 << 10
)

// ObservationError: an observation that can't be reported.
type ObservationError struct {
	ServiceType string
	ID          string // of the resource
	Field       string // of the observation: "Status"; "Provider" for the name of who reports it
	Reason      string // what is allowed
}

func (e *ObservationError) Error() string {
	return fmt.Sprintf("status: observation of %s/%s: %s %s", e.ServiceType, e.ID, e.Field, e.Reason)
}

// Normal returns o with its status written as its service type writes it, and its texts as they can be sent. Errors: *ObservationError.
func (o Observation) Normal() (Observation, error) {
	wrong := func(field, reason string) (Observation, error) {
		return o, &ObservationError{ServiceType: o.ServiceType, ID: o.ID, Field: field, Reason: reason}
	}
	if reason := tokenFault(o.ServiceType); reason != "" {
		return wrong("ServiceType", reason)
	}
	if reason := resourceIDFault(o.ID); reason != "" {
		return wrong("ID", reason)
	}
	for _, t := range BuiltIn() {
		if t.Name != o.ServiceType {
			continue
		}
		s, known := t.Parse(string(o.Status))
		if !known {
			return wrong("Status", fmt.Sprintf("%q: must be one of %v", o.Status, t.Statuses))
		}
		o.Status = s
	}
	if reason := statusFault(o.Status); reason != "" {
		return wrong("Status", reason)
	}
	if reason := timeFault(o.Time); reason != "" {
		return wrong("Time", reason)
	}
	o.Raw = clean(o.Raw, maxRaw)
	o.Message = clean(o.Message, maxMessage)
	return o, nil
}

// tokenFault says what keeps s from being a service type.
func tokenFault(s string) string {
	outside := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-'
	}
	if s == "" || len(s) > 64 || strings.ContainsFunc(s, outside) {
		return "must be one token of a-z, 0-9, _ and -, at most 64 of them"
	}
	return ""
}

func resourceIDFault(id string) string {
	switch reason := bus.TextFault(id); {
	case strings.TrimSpace(id) == "":
		return "is missing"
	case len(id) > maxResourceID:
		return fmt.Sprintf("has more than %d bytes", maxResourceID)
	default:
		return reason
	}
}

// statusFault says what keeps s from being the status of any service type.
func statusFault(s Status) string {
	outside := func(c rune) bool { return (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' }
	if s == "" || len(s) > 64 || strings.ContainsFunc(string(s), outside) {
		return "must be of A-Z, 0-9 and _, at most 64 of them"
	}
	return ""
}

// timeFault leaves what Unix nanoseconds can say, the zero time included, which stands for now.
func timeFault(t time.Time) string {
	if !t.IsZero() && (t.Before(time.Unix(0, 0)) || t.Year() > 2261) {
		return "must be from 1970 to 2261"
	}
	return ""
}

// clean makes a text of a platform fit to be sent: valid UTF-8 on one line, without control characters, at most limit bytes.
func clean(s string, limit int) string {
	if bus.TextFault(s) != "" {
		s = strings.Map(func(c rune) rune {
			switch {
			case unicode.IsControl(c):
				return ' '
			case bus.TextFault(string(c)) != "":
				return unicode.ReplacementChar
			}
			return c
		}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
	}
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") // a character that the limit cut in two goes
	}
	return s
}

// providerFault says what keeps a name from being that of a provider.
func providerFault(name string) string {
	outside := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-._~", c)
	}
	if name == "" || len(name) > 128 || strings.ContainsFunc(name, outside) {
		return "must be of letters, digits, -, ., _ and ~, at most 128 of them"
	}
	return ""
}
