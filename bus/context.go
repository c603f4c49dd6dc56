package bus

import (
	"cmp"
	"context"
)

type (
	handlerKey     struct{}
	correlationKey struct{}
)

// caused is a context that knows the event which caused what is done with it.
type caused interface {
	context.Context
	subscription() *Subscription // whose handler it is; nil outside of handlers
	header() (Header, bool)
	origin() (ID, string) // id and correlation
}

func causeOf(ctx context.Context) caused {
	c, _ := ctx.Value(handlerKey{}).(caused)
	return c
}

// handlerOf returns the subscription whose handler runs with ctx, nil if there is none.
func handlerOf(ctx context.Context) *Subscription {
	if c := causeOf(ctx); c != nil {
		return c.subscription()
	}
	return nil
}

// inHandler reports whether ctx belongs to a handler of b.
func inHandler(ctx context.Context, b *Bus) bool {
	s := handlerOf(ctx)
	return s != nil && s.bus == b
}

// Cause returns the header of the event whose handler runs with ctx. When the handler has returned, only its ID and correlation are left.
func Cause(ctx context.Context) (Header, bool) {
	if c := causeOf(ctx); c != nil {
		return c.header()
	}
	return Header{}, false
}

// Causes returns the headers of the events whose handler runs with ctx: one, or of a batch (SubscribeBatch) all, in order.
func Causes(ctx context.Context) []Header {
	c := causeOf(ctx)
	if b, ok := c.(*batchContext); ok {
		return b.headers()
	}
	if c == nil {
		return nil
	}
	if h, ok := c.header(); ok {
		return []Header{h}
	}
	return nil
}

// ContextWithCorrelation gives what is published, appended or fired with the context a correlation id (an HTTP request's, say).
// Inside a handler it takes the place of the one that would be inherited.
func ContextWithCorrelation(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, correlationKey{}, id)
}

// Correlation returns the correlation and causation that something done with ctx inherits.
// What a handler does is caused by its event; an event without a correlation passes on its own ID.
func Correlation(ctx context.Context) (correlationID, causationID string) {
	v := ctx.Value(correlationKey{})
	if v == nil {
		return "", ""
	}
	correlationID, _ = v.(string)
	c := causeOf(ctx)
	if c == nil {
		return correlationID, ""
	}
	id, inherited := c.origin()
	causationID = id.String()
	if _, own := v.(string); !own {
		correlationID = cmp.Or(inherited, causationID)
	}
	return correlationID, causationID
}

// ContextWithCause returns a context in which what is published, appended or fired is caused by the event h.
// Handlers of batches use it; other handlers' contexts say so already.
func ContextWithCause(ctx context.Context, h Header) context.Context {
	return &causeContext{Context: ctx, sub: handlerOf(ctx), cause: h}
}

type writerKey struct{}

// writerMark is a member's context: which writer, and which it is nested in.
type writerMark struct {
	context.Context
	writer any
	outer  *writerMark
}

func (m *writerMark) Value(key any) any {
	if key == (writerKey{}) {
		return m
	}
	return m.Context.Value(key)
}

// EnterWriter marks ctx as belonging to a member of the writer w (any comparable identity; the journal itself).
// Marks nest: ctx then belongs to members of all of them.
func EnterWriter(ctx context.Context, w any) context.Context {
	outer, _ := ctx.Value(writerKey{}).(*writerMark)
	return &writerMark{Context: ctx, writer: w, outer: outer}
}

// InWriter reports whether ctx belongs to a member of the writer w. What waits for that writer then returns ErrInWriter.
func InWriter(ctx context.Context, w any) bool {
	m, _ := ctx.Value(writerKey{}).(*writerMark)
	for ; m != nil; m = m.outer {
		if m.writer == w {
			return true
		}
	}
	return false
}
