package listeners

import (
	"context"
	"log/slog"
	"time"

	"github.com/cloudbus-go/cloudbus/resources"
)

// AuditOptions of Audit. The zero value works.
type AuditOptions struct {
	Logger  *slog.Logger // Defaults to slog.Default().
	Changes slog.Leveler // level of changes. Defaults to slog.LevelInfo.
	Refused slog.Leveler // level of refusals and failures. Defaults to slog.LevelWarn.
	// Unchanged is the level of calls that were accepted and changed nothing. Defaults to slog.LevelDebug.
	Unchanged slog.Leveler
}

// Audit returns the listener that writes one line for each Create, Fire and Update: who did what to which resource, from which state to
// which, or why not. duration is that of the call; spent, of a move, is the time that the resource had been in the state it left.
func Audit(o AuditOptions) resources.AfterListener {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return audit{
		log:       o.Logger,
		changes:   level(o.Changes, slog.LevelInfo),
		refused:   level(o.Refused, slog.LevelWarn),
		unchanged: level(o.Unchanged, slog.LevelDebug),
	}
}

func level(l slog.Leveler, otherwise slog.Level) slog.Leveler {
	if l == nil {
		return otherwise
	}
	return l
}

type audit struct {
	log                         *slog.Logger
	changes, refused, unchanged slog.Leveler
}

func (audit) Name() string { return "audit" }

func (a audit) After(ctx context.Context, c resources.Change, err error) {
	l, message := a.changes, "resource changed"
	switch {
	case err != nil:
		l, message = a.refused, "resource not changed"
	case !c.Changed():
		l, message = a.unchanged, "resource unchanged"
	}
	if !a.log.Enabled(ctx, l.Level()) {
		return
	}
	a.log.LogAttrs(ctx, l.Level(), message, attributes(c, err)...)
}

func attributes(c resources.Change, err error) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("kind", c.Kind),
		slog.String("id", c.ResourceID),
		slog.String("action", string(c.Action)),
	}
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	text("tenant", c.Tenant)
	text("trigger", string(c.Trigger))
	text("from", string(c.From))
	text("to", string(c.To))
	text("actor", c.Actor)
	text("reason", c.Reason)
	attrs = append(attrs, slog.Duration("duration", c.Took()))
	if err != nil {
		return append(attrs, slog.Any("error", err))
	}
	attrs = append(attrs, slog.Uint64("version", c.Version), slog.Time("time", c.Time))
	if c.Action == resources.Moved {
		attrs = append(attrs, slog.Duration("spent", c.Time.Sub(c.Since).Round(time.Microsecond)))
	}
	return attrs
}
