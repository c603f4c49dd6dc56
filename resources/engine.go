package resources

import (
	"context"
	"log/slog"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

type Options struct {
	Store     Store            // Required.
	Bus       *bus.Bus         // Required. Its journal must be the store's.
	Listeners []Listener       // In this order. Defaults to none (nothing is posted without listeners.Post).
	Logger    *slog.Logger     // Defaults to slog.Default().
	Now       func() time.Time // Defaults to the bus's.
}

type Engine struct{}

func New(o Options) (*Engine, error)                { panic("unwritten") }
func (e *Engine) Bus() *bus.Bus                     { panic("unwritten") }
func (e *Engine) Kinds() []string                   { panic("unwritten") }
func (e *Engine) Kind(name string) (*Handle, error) { panic("unwritten") } // *UnknownError names those there are

// Register adds a kind: payload type Changed[T] for "<kind>.>" on the bus, table in the store.
func Register[T any](e *Engine, m *fsm.Machine, opts ...KindOption) (*Kind[T], error) {
	panic("unwritten")
}

type KindOption func(*kindSettings)
type kindSettings struct{}

func Limit(s fsm.State, d time.Duration) KindOption { panic("unwritten") } // another limit for a transitional state
func Listen(l ...Listener) KindOption               { panic("unwritten") } // listeners of this kind only, after the engine's

// Kind is the typed face of a registered kind.
type Kind[T any] struct{ h *Handle }

func (k *Kind[T]) Handle() *Handle                                             { return k.h }
func (k *Kind[T]) Create(ctx context.Context, v T, opts ...Option) (*T, error) { panic("unwritten") }
func (k *Kind[T]) Get(ctx context.Context, id string) (*T, error)              { panic("unwritten") }
func (k *Kind[T]) List(ctx context.Context, q Query) (Page[T], error)          { panic("unwritten") }
func (k *Kind[T]) Fire(ctx context.Context, id string, on fsm.Trigger, opts ...Option) (Changed[T], error) {
	panic("unwritten")
}
func (k *Kind[T]) Update(ctx context.Context, id string, set func(*T) error, opts ...Option) (Changed[T], error) {
	panic("unwritten")
}
func (k *Kind[T]) Allowed(ctx context.Context, id string) ([]fsm.Trigger, error) { panic("unwritten") }
func (k *Kind[T]) Set(set func(*T) error) Option                                 { panic("unwritten") }

type Page[T any] struct {
	Items []*T
	Next  string // After of the next page; "" at the end
}

// Handle is the untyped face of a kind, for HTTP, CLIs and ingest. Objects are *T.
type Handle struct{}

func (h *Handle) Name() string          { panic("unwritten") }
func (h *Handle) Machine() *fsm.Machine { panic("unwritten") }
func (h *Handle) Info() *Info           { panic("unwritten") }
func (h *Handle) New() any              { panic("unwritten") } // *T to decode into
func (h *Handle) Create(ctx context.Context, obj any, opts ...Option) (any, error) {
	panic("unwritten")
}
func (h *Handle) Get(ctx context.Context, id string) (any, error) { panic("unwritten") }
func (h *Handle) List(ctx context.Context, q Query) (items []any, next string, err error) {
	panic("unwritten")
}
func (h *Handle) Fire(ctx context.Context, id string, on fsm.Trigger, opts ...Option) (Change, error) {
	panic("unwritten")
}
func (h *Handle) Update(ctx context.Context, id string, set func(any) error, opts ...Option) (Change, error) {
	panic("unwritten")
}
func (h *Handle) Allowed(ctx context.Context, id string) ([]fsm.Trigger, error) { panic("unwritten") }
func (h *Handle) CountStates(ctx context.Context) (map[fsm.State]int64, error)  { panic("unwritten") }

// Options of one call. Create takes Actor, Reason, At, With; Update and Fire those too; Fire also Operation and Set. A wrong one is an error.
type Option func(*call)
type call struct{}

func Actor(a string) Option              { panic("unwritten") } // Defaults to the actor of the context's cause, if any.
func Reason(r string) Option             { panic("unwritten") }
func At(t time.Time) Option              { panic("unwritten") } // when it happened; lifted to StateSince if earlier, and counted
func Operation(id bus.ID) Option         { panic("unwritten") } // the operation whose outcome this is; another one running: ErrStale
func Set(set func(obj any) error) Option { panic("unwritten") } // untyped twin of Kind.Set: gets *T
func With(fn func(Tx) error) Option      { panic("unwritten") } // the caller's own rows, in the same transaction
