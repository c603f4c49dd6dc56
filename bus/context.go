package bus

import "context"

type (
	handlerKey     struct{}
	correlationKey struct{}
)

// handlerContext is the context of one delivery. It is made for that delivery alone, so a handler may keep it.
type handlerContext struct {
	context.Context // of the bus
	sub             *Subscription
	cause           Header
}

func (c *handlerContext) Value(key any) any {
	switch key.(type) {
	case handlerKey, correlationKey:
		return c
	}
	return c.Context.Value(key)
}

func handlerOf(ctx context.Context) *handlerContext {
	c, _ := ctx.Value(handlerKey{}).(*handlerContext)
	return c
}

// inHandler reports whether ctx belongs to a handler of b.
func inHandler(ctx context.Context, b *Bus) bool {
	c := handlerOf(ctx)
	return c != nil && c.sub != nil && c.sub.bus == b
}

// Cause returns the header of the event whose handler runs with ctx.
func Cause(ctx context.Context) (Header, bool) {
	if c := handlerOf(ctx); c != nil && !c.cause.ID.IsZero() {
		return c.cause, true
	}
	return Header{}, false
}

// ContextWithCorrelation gives what is published, appended or fired with the context a correlation id (an HTTP request's, say).
// Inside a handler it takes the place of the one that would be inherited.
func ContextWithCorrelation(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, correlationKey{}, id)
}

// Correlation returns the correlation and causation that something done with ctx inherits.
// What a handler does is caused by its event; an event without a correlation passes on its own ID.
func Correlation(ctx context.Context) (correlationID, causationID string) {
	switch v := ctx.Value(correlationKey{}).(type) {
	case string:
		correlationID = v
	case *handlerContext:
		if correlationID = v.cause.CorrelationID; correlationID == "" {
			correlationID = v.cause.ID.String()
		}
	}
	if c := handlerOf(ctx); c != nil {
		causationID = c.cause.ID.String()
	}
	return correlationID, causationID
}

// ContextWithCause returns a context in which what is published, appended or fired is caused by the event h.
// Handlers of batches use it; other handlers' contexts say so already.
func ContextWithCause(ctx context.Context, h Header) context.Context {
	c := &handlerContext{Context: ctx, cause: h}
	if outer := handlerOf(ctx); outer != nil {
		c.sub = outer.sub
	}
	return c
}

type writerKey struct{}

// writerMark is a member's context: which writer, and which it is nested in.
type writerMark struct {
	writer any
	outer  *writerMark
}

// EnterWriter marks ctx as belonging to a member of the writer w (any comparable identity; the journal itself).
// Marks nest: ctx then belongs to members of all of them.
func EnterWriter(ctx context.Context, w any) context.Context {
	outer, _ := ctx.Value(writerKey{}).(*writerMark)
	return context.WithValue(ctx, writerKey{}, &writerMark{writer: w, outer: outer})
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
