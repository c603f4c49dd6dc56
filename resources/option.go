package resources

import (
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Option of one call. Create and Update take Actor, Reason, At and With; Fire also Operation and Set; CreateBatch Actor, Reason and At;
// Purge Actor and Reason; Action and Schedule Target, Tenant and Reason. Others are an *InvalidError.
type Option func(*call)

// call is what the options of one call say.
type call struct {
	kind, id   string
	actor      string
	reason     string
	at         time.Time
	operation  bus.ID
	sets       []func(any) error
	withs      []func(Tx) error
	form       form
	began      time.Time
	hasActor   bool
	target     string
	tenant     string
	firstFault error
}

// form is what sort of call takes the options.
type form uint8

const (
	forChange form = iota // Create, Update
	forFire
	forBatch
	forPurge
	forAction
)

// shares reports whether the transaction of the call isn't that of one resource's change alone.
func (c *call) shares() bool { return c.form == forBatch || c.form == forPurge || c.form == forAction }

// Actor says who wants the change: user:42. Defaults to the actor of the event whose handler makes the call, if any.
// At most 255 bytes without control characters.
func Actor(a string) Option {
	return func(c *call) {
		if c.form == forAction {
			c.fault("actor", "is an argument of Action, and no option")
		}
		c.actor, c.hasActor = a, true
	}
}

// Reason says why, for people. At most 1,024 bytes without control characters.
func Reason(r string) Option {
	return func(c *call) { c.reason = r }
}

// At says when it happened, if that isn't now: after the beginning of 1970 and at most a day ahead of the engine's clock. A time before the resource's
// StateSince is lifted to it, and counted (Stats).
func At(t time.Time) Option {
	return func(c *call) {
		switch c.form {
		case forPurge:
			c.fault("at", "is no option of Purge")
		case forAction:
			c.fault("at", "is no option of Action")
		}
		if t.IsZero() {
			c.fault("at", "is zero; leave At out for now")
		}
		c.at = t.UTC().Round(0)
	}
}

// Operation names the operation whose outcome a Fire brings: Change.Operation of the change that began it. If the resource isn't in
// that one, it's a *StaleError.
func Operation(id bus.ID) Option {
	return func(c *call) {
		c.onlyFire("Operation")
		if id.IsZero() {
			c.fault("operation", "is zero, which names no operation")
		}
		c.operation = id
	}
}

// Set alters the resource as a part of the move: same transaction, version and event. set gets *T in its new state, and may run again
// if somebody else changed the resource meanwhile; it must not keep the pointer. Kind.Set is its typed twin.
func Set(set func(obj any) error) Option {
	return func(c *call) {
		c.onlyFire("Set")
		if set == nil {
			c.fault("Set", "the function is nil")
		}
		c.sets = append(c.sets, set)
	}
}

// With writes the caller's own rows in the same transaction, after the in-transaction listeners; its error rolls all back. It may run
// again if the store has to repeat the transaction.
func With(fn func(Tx) error) Option {
	return func(c *call) {
		if c.shares() {
			c.fault("With", "is an option of calls for one resource")
		}
		if fn == nil {
			c.fault("With", "the function is nil")
		}
		c.withs = append(c.withs, fn)
	}
}

// Target names the resource that an action is about.
func Target(id string) Option {
	return func(c *call) {
		c.onlyAction("Target")
		if id == "" {
			c.fault("target", "is empty; leave Target out if the action is about no resource")
		}
		c.target = id
	}
}

// Tenant says whose action it is. Defaults to the tenant of the resource, if Target names one that is there. At most 255 bytes without
// control characters.
func Tenant(name string) Option {
	return func(c *call) {
		c.onlyAction("Tenant")
		c.tenant = name
	}
}

func (c *call) fault(field, format string, args ...any) {
	if c.firstFault == nil {
		c.firstFault = &InvalidError{Kind: c.kind, ID: c.id, Field: field, Reason: fmt.Sprintf(format, args...)}
	}
}

func (c *call) onlyFire(option string) {
	if c.form != forFire {
		c.fault(option, "is an option of Fire only")
	}
}

func (c *call) onlyAction(option string) {
	if c.form != forAction {
		c.fault(option, "is an option of Action and Schedule only")
	}
}

const maxAhead = 24 * time.Hour

// newCall applies and checks the options. The call is usable, for telling listeners, even if there is an error.
func newCall(kind, id string, form form, opts []Option, now time.Time) (*call, error) {
	c := &call{kind: kind, id: id, form: form, began: now}
	for i, o := range opts {
		if o == nil {
			c.fault("options", "option %d is nil", i)
			continue
		}
		o(c)
	}
	c.checkText("actor", c.actor, 255)
	c.checkText("reason", c.reason, 1024)
	switch {
	case c.at.IsZero():
	case !c.at.After(time.Unix(0, 0)):
		c.fault("at", "%s is not after the beginning of 1970", c.at.Format(time.RFC3339))
	case c.at.Sub(now) > maxAhead:
		c.fault("at", "%s is more than a day ahead of now, %s", c.at.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return c, c.firstFault
}

func (c *call) checkText(field, s string, most int) {
	if reason := badText(s, most); reason != "" {
		c.fault(field, "%s", reason)
	}
}

// badText says what is wrong with a text that goes into an event's header, or "".
func badText(s string, most int) string {
	if len(s) > most {
		return fmt.Sprintf("has %d bytes; at most %d are allowed", len(s), most)
	}
	if fault := bus.TextFault(s); fault != "" {
		return fmt.Sprintf("%q %s", s, fault)
	}
	return ""
}

// badID says what is wrong with a resource's id, or "".
func badID(id string) string {
	const rule = "an id has 1 to 255 bytes of printable UTF-8, without spaces and / * > ? # % \\ \", and is not . or .."
	if id == "" || len(id) > 255 || id == "." || id == ".." || !utf8.ValidString(id) {
		return fmt.Sprintf("%.300q is none: %s", id, rule)
	}
	for _, r := range id {
		switch r {
		case '/', '*', '>', '?', '#', '%', '\\', '"', ' ':
			return fmt.Sprintf("%q has %q: %s", id, r, rule)
		}
		if !unicode.IsPrint(r) {
			return fmt.Sprintf("%q has %q: %s", id, r, rule)
		}
	}
	return ""
}
