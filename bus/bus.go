package bus

import (
	"context"
	"log/slog"
	"time"
)

// Options configure a Bus. The zero value works.
type Options struct {
	Logger  *slog.Logger     // Defaults to slog.Default().
	Source  string           // Source of all events. Defaults to cloudbus/<hostname>.
	Journal Journal          // Defaults to none: live events only.
	Now     func() time.Time // Defaults to time.Now.
	// OnUnhandled is called, on the publisher's or the pump's goroutine, with the header of an event that nobody takes (takers of any and Raw don't count). It must return at once. Defaults to none.
	OnUnhandled func(Header)
	// Around wraps each call of a handler. Defaults to none.
	Around func(ctx context.Context, subscription string, h Header, next func(context.Context) error) error
}

type Bus struct{}

// New starts a bus. If its journal can't be attached, Subscribe, Publish and Client operations return that error.
func New(o Options) *Bus { panic("unwritten") }

func (b *Bus) Source() string                  { panic("unwritten") }
func (b *Bus) Journal() Journal                { panic("unwritten") }
func (b *Bus) Now() time.Time                  { panic("unwritten") }
func (b *Bus) Client(name string) *Client      { panic("unwritten") }
func (b *Bus) Flush(ctx context.Context) error { panic("unwritten") } // everyone has handled what was there
func (b *Bus) Close(ctx context.Context) error { panic("unwritten") } // drains, waits, reports what was left (*LeftError)

type Client struct{}

func (c *Client) Name() string                    { panic("unwritten") }
func (c *Client) Bus() *Bus                       { panic("unwritten") }
func (c *Client) Close(ctx context.Context) error { panic("unwritten") }

type Subscription struct{}

func (s *Subscription) Name() string          { panic("unwritten") }
func (s *Subscription) Close()                { panic("unwritten") }
func (s *Subscription) Done() <-chan struct{} { panic("unwritten") }
func (s *Subscription) Err() error            { panic("unwritten") } // why it ended or halted; nil after Close or Stop

// Publish sends a live event. T may be an interface type; the dynamic type counts.
func Publish[T Payload](ctx context.Context, c *Client, p T, stamps ...Stamp) error {
	panic("unwritten")
}

// Subscribe: T is a concrete payload type, an interface (all that implement it), any, or Raw.
func Subscribe[T any](c *Client, fn func(context.Context, Event[T]) error, opts ...Option) (*Subscription, error) {
	panic("unwritten")
}

// Batch is what SubscribeBatch hands to its commit function.
type Batch[T any] struct {
	Events []Event[T] // those that passed the filters, possibly none
	From   uint64     // the cursor before this batch
	To     uint64     // the scanned position after it: to be stored together with the effects
}

// SubscribeBatch is for journals that can store a cursor together with a handler's effects (journal.Subscribe is the face for users).
// It reads the journal from the cursor called name and calls commit with each page; commit stores b.To as the cursor, or returns an error and has stored nothing.
// A failing commit is retried by the policy; options as for Durable.
func SubscribeBatch[T any](c *Client, name string, commit func(context.Context, Batch[T]) error, opts ...Option) (*Subscription, error) {
	panic("unwritten")
}
