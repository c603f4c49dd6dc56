package resources

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Action records that an actor begins to do something: action.<kind>.<verb>.scheduled and .started, in one transaction. What is done with
// the context that it returns is a part of the action: changes fired with it, and events published or appended, have its correlation id
// (that of ctx, or else a new one), name its started event as their cause, and have its actor unless they say otherwise. An action begun
// with the context of another is caused by that one, and ends by itself. done records the end, once:
//
//	func (s *Service) Start(ctx context.Context, user, id string) (err error) {
//		ctx, done, err := s.engine.Action(ctx, user, "vm", "start", resources.Target(id))
//		if err != nil {
//			return err
//		}
//		defer done.Defer(&err)
//		...
//
// kind and verb are names ([a-z][a-z0-9_]*, at most 64 bytes); the kind needn't be registered. Without an actor it is that of the event
// whose handler makes the call. Options: Target, Tenant, Reason.
//
// An action never stays open: if the process ends before done was called, the action is closed as failed (FailureAbandoned) by CloseActions or
// Run, of the next process on this database, or of another server's on a database that several share. As long as its process lives it is
// the caller's to end, also while the server shuts down.
//
// Errors: *InvalidError; ErrNoActions if the store doesn't keep actions; ErrInWriter; what the store says. The context and done are usable
// even then, and record nothing.
func (e *Engine) Action(ctx context.Context, actor, kind, verb string, opts ...Option) (context.Context, Done, error) {
	a, err := e.newAction(ctx, actor, kind, verb, opts)
	if err == nil {
		a.begin(e.clock())
		err = a.openNew(ctx, func(tx ActionTx) error {
			if err := a.recordScheduled(tx); err != nil {
				return err
			}
			return a.recordStarted(tx)
		})
	}
	if err != nil {
		return ctx, noRecord, err
	}
	return a.context(ctx), a.done(ctx), nil
}

// newAction checks what is asked for.
func (e *Engine) newAction(ctx context.Context, actor, kind, verb string, opts []Option) (*action, error) {
	c, _ := newCall("action", "", forAction, opts, e.clock()) // its first fault is asked for below
	for _, name := range []struct{ field, value string }{{"kind", kind}, {"verb", verb}} {
		if !validName(name.value) {
			c.fault(name.field, "%.100q is no name: it matches [a-z][a-z0-9_]* and has at most %d bytes", name.value, maxName)
		}
	}
	if cause, ok := bus.Cause(ctx); ok && actor == "" {
		actor = cause.Actor
	}
	if c.checkText("actor", actor, 255); actor == "" {
		c.fault("actor", "is empty: who acts?")
	}
	c.checkText("tenant", c.tenant, 255)
	if c.target != "" {
		if reason := badID(c.target); reason != "" {
			c.fault("target", "%s", reason)
		}
	}
	if c.firstFault != nil {
		return nil, c.firstFault
	}
	if _, err := e.actionStore(); err != nil {
		return nil, err
	}
	a := &action{engine: e, row: OpenAction{
		Kind: kind, Verb: verb, ResourceID: c.target, Tenant: c.tenant, Actor: actor, Reason: c.reason, ScheduledAt: c.began.UTC().Round(0),
	}}
	a.row.ID = bus.NewID(a.row.ScheduledAt)
	if a.row.CorrelationID, _ = bus.Correlation(ctx); a.row.CorrelationID == "" {
		a.row.CorrelationID = a.row.ID.String()
	}
	return a, e.findTenant(ctx, &a.row)
}

// findTenant makes the tenant of the resource that of the action, unless it was given.
func (e *Engine) findTenant(ctx context.Context, row *OpenAction) error {
	if row.Tenant != "" || row.ResourceID == "" {
		return nil
	}
	h, err := e.Kind(row.Kind)
	if err != nil {
		return nil //nolint:nilerr // not a kind of this engine's, which is fine
	}
	obj, err := h.Get(ctx, row.ResourceID)
	switch {
	case err == nil:
		row.Tenant = ObjectOf(obj).Tenant
	case !errors.Is(err, ErrNotFound):
		return fmt.Errorf("resources: action: whose resource is it: %w", err)
	}
	return nil
}

// maxName is how long the names of an action may be.
const maxName = 64

// validName reports whether s is [a-z][a-z0-9_]*, and not too long.
func validName(s string) bool {
	if s == "" || len(s) > maxName || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}
