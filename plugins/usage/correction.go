package usage

import (
	"fmt"
	"strconv"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Correction is an entry of the ledger that says what was metered wrongly, or not at all. Entries are never changed or removed: another one reverses them.
//
// It is about a stretch of time (From and To), and then Amount is its length, or that below 0 to take it away; or about one moment (At), and then Amount is any. Reports count it
// where these times are: a stretch is cut by windows and buckets as an interval is, what is of one moment is whole in the window that has it.
type Correction struct {
	ID         bus.ID    `json:"id,omitzero"`           // Given by Correct.
	Key        string    `json:"key"`                   // Says that two calls are about the same correction, so that a repeated one makes no other. At most 255 bytes. Required.
	Tenant     string    `json:"tenant,omitempty"`      // Defaults to the interval's.
	Kind       string    `json:"kind,omitempty"`        // Defaults to the meter's.
	Meter      string    `json:"meter,omitempty"`       // Required, unless another correction is reversed.
	ResourceID string    `json:"resource_id,omitempty"` // Defaults to the interval's, or none: the tenant as a whole.
	Size       Size      `json:"size,omitzero"`         // Defaults to the interval's.
	At         time.Time `json:"at,omitzero"`           // The moment, not in the future. Defaults to now if there is no From.
	From       time.Time `json:"from,omitzero"`         // The stretch, not in the future.
	To         time.Time `json:"to,omitzero"`
	Amount     Amount    `json:"seconds,omitzero"`     // What is added, or below 0 taken away. Required, unless another correction is reversed.
	OpenedSeq  uint64    `json:"opened_seq,omitempty"` // With Meter: the interval that is corrected. Defaults to none in particular.
	Reverses   bus.ID    `json:"reverses,omitzero"`    // The correction that this one undoes; all but Key, Reason and Actor is then that one's. Defaults to none.
	Reason     string    `json:"reason"`               // Why, for people. At most 1,024 bytes. Required.
	Actor      string    `json:"actor"`                // Who says so: user:42. At most 255 bytes. Required.
	CreatedAt  time.Time `json:"created_at,omitzero"`  // Given by Correct.
}

// Corrected is the event usage.<meter>.corrected: whoever adds up intervals from their events has this to add.
type Corrected struct{ Correction }

// EventType is usage.<meter>.corrected.
func (c Corrected) EventType() string { return "usage." + c.Meter + ".corrected" }

// Address names the resource.
func (c Corrected) Address() (tenant, kind, id string) { return c.Tenant, c.Kind, c.ResourceID }

var _ bus.Addressed = Corrected{}

// What a correction may be at most.
const (
	maxName   = 255
	maxReason = 1024
	maxSize   = 1_000_000_000_000
	maxAmount = 1_000_000_000_000 // seconds: of a thousand machines a thousand years are 3 % of it
)

// firstMoment is the earliest that a correction can be about.
var firstMoment = time.Unix(0, 0)

// fault says what is wrong with a field.
func fault(field, value, reason string, args ...any) error {
	return &CorrectionError{Field: field, Value: value, Reason: fmt.Sprintf(reason, args...)}
}

// check returns a *CorrectionError, or the correction in the form in which it is stored, as far as it says by itself what it is about.
func (c Correction) check(t *table, now time.Time) (Correction, error) {
	if !c.ID.IsZero() || !c.CreatedAt.IsZero() {
		return c, fault("id", c.ID.String(), "and created_at are given by the ledger: leave them out")
	}
	if err := c.checkTexts(); err != nil {
		return c, err
	}
	if !c.Reverses.IsZero() {
		return c, c.checkReversal()
	}
	c.At, c.From, c.To = c.At.Round(0).UTC(), c.From.Round(0).UTC(), c.To.Round(0).UTC()
	if err := c.checkMeter(t); err != nil {
		return c, err
	}
	c.Kind = t.kindOf(c.Meter)
	c.Amount = amount(c.Amount.Seconds, c.Amount.Nanoseconds)
	if err := c.checkSize(); err != nil {
		return c, err
	}
	return c, c.checkTime(now)
}

func (c Correction) checkTexts() error {
	for _, f := range []struct {
		field, value string
		most         int
		required     bool
	}{
		{"key", c.Key, maxName, true}, {"reason", c.Reason, maxReason, true}, {"actor", c.Actor, maxName, true},
		{"tenant", c.Tenant, maxName, false}, {"resource_id", c.ResourceID, maxName, false},
	} {
		switch bad := bus.TextFault(f.value); {
		case f.value == "" && f.required:
			return fault(f.field, "", "is missing")
		case len(f.value) > f.most:
			return fault(f.field, f.value[:20]+"…", "has %d bytes; at most %d are allowed", len(f.value), f.most)
		case bad != "":
			return fault(f.field, f.value, "%s", bad)
		}
	}
	return nil
}

// checkReversal: a correction that reverses another one says nothing else about it.
func (c Correction) checkReversal() error {
	rest := c
	rest.Key, rest.Reason, rest.Actor, rest.Reverses = "", "", "", bus.ID{}
	if rest != (Correction{}) {
		return fault("reverses", c.Reverses.String(), "says what the correction is about: beside it only key, reason and actor are allowed")
	}
	return nil
}

func (c Correction) checkMeter(t *table) error {
	kind := t.kindOf(c.Meter)
	switch {
	case c.Meter == "":
		return &CorrectionError{Field: "meter", Reason: "is missing", Known: t.names()}
	case kind == "":
		return &CorrectionError{Field: "meter", Value: c.Meter, Reason: "is unknown", Known: t.names()}
	case c.Kind != "" && c.Kind != kind:
		return fault("kind", c.Kind, "isn't that of meter %s, which is %s", c.Meter, kind)
	}
	return nil
}

func (c Correction) checkSize() error {
	for _, f := range []struct {
		field string
		value int64
	}{{"cpus", c.Size.CPUs}, {"memory_mib", c.Size.MemoryMiB}, {"gib", c.Size.GiB}, {"units", c.Size.Units}} {
		if f.value < 0 || f.value > maxSize {
			return fault("size."+f.field, strconv.FormatInt(f.value, 10), "is not in 0 to %d", int64(maxSize))
		}
	}
	switch {
	case c.Amount == Amount{}:
		return fault("seconds", "0", "corrects nothing: say what is to be added, or below 0 taken away")
	case c.Amount.Seconds < -maxAmount || c.Amount.Seconds > maxAmount:
		return fault("seconds", c.Amount.String(), "is not in -%d to %d", int64(maxAmount), int64(maxAmount))
	}
	return nil
}

func (c Correction) checkTime(now time.Time) error {
	for _, f := range []struct {
		field string
		at    time.Time
	}{{"at", c.At}, {"from", c.From}, {"to", c.To}} {
		switch text := f.at.Format(time.RFC3339Nano); {
		case f.at.IsZero():
		case f.at.Before(firstMoment):
			return fault(f.field, text, "is before 1970")
		case f.at.After(now):
			return fault(f.field, text, "is in the future: it is %s now, and what hasn't happened can't be corrected", now.UTC().Format(time.RFC3339Nano))
		}
	}
	switch from := c.From.Format(time.RFC3339Nano); {
	case c.From.IsZero() != c.To.IsZero():
		return fault("from", from, "and to belong together: give both, or at")
	case c.From.IsZero():
		return nil
	case !c.At.IsZero():
		return fault("at", c.At.Format(time.RFC3339Nano), "is there beside from and to: give one of the two")
	case !c.From.Before(c.To):
		return fault("from", from, "is not before to %q", c.To.Format(time.RFC3339Nano))
	}
	if length := between(nanoseconds(c.From), nanoseconds(c.To)); c.Amount != length && c.Amount != length.Neg() {
		return fault("seconds", c.Amount.String(), "is neither the time from from to to, %s, nor -%s: another amount is of one moment, at", length, length)
	}
	return nil
}
