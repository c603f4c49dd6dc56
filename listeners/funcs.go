package listeners

import (
	"context"
	"slices"

	"github.com/cloudbus-go/cloudbus/resources"
)

// Funcs is a listener made of functions. Those that are nil are left out.
type Funcs struct {
	ListenerName string // Required; unique in an engine.
	OnBegin      func(ctx context.Context, c resources.Change) context.Context
	OnBefore     func(ctx context.Context, c resources.Change) error
	OnInTx       func(ctx context.Context, tx resources.Tx, c resources.Change) error
	OnAfter      func(ctx context.Context, c resources.Change, err error)
}

// Name returns ListenerName.
func (f Funcs) Name() string { return f.ListenerName }

// Begin calls OnBegin.
func (f Funcs) Begin(ctx context.Context, c resources.Change) context.Context {
	if f.OnBegin == nil {
		return ctx
	}
	return f.OnBegin(ctx, c)
}

// Before calls OnBefore.
func (f Funcs) Before(ctx context.Context, c resources.Change) error {
	if f.OnBefore == nil {
		return nil
	}
	return f.OnBefore(ctx, c)
}

// InTx calls OnInTx.
func (f Funcs) InTx(ctx context.Context, tx resources.Tx, c resources.Change) error {
	if f.OnInTx == nil {
		return nil
	}
	return f.OnInTx(ctx, tx, c)
}

// After calls OnAfter.
func (f Funcs) After(ctx context.Context, c resources.Change, err error) {
	if f.OnAfter != nil {
		f.OnAfter(ctx, c, err)
	}
}

// For restricts a listener to some kinds. It keeps the listener's name.
func For(l resources.Listener, kinds ...string) resources.Listener {
	if l == nil {
		return nil
	}
	return restricted{l, slices.Clone(kinds)}
}

type restricted struct {
	resources.Listener
	kinds []string
}

func (r restricted) Begin(ctx context.Context, c resources.Change) context.Context {
	if l, ok := r.Listener.(resources.BeginListener); ok && slices.Contains(r.kinds, c.Kind) {
		return l.Begin(ctx, c)
	}
	return ctx
}

func (r restricted) Before(ctx context.Context, c resources.Change) error {
	if l, ok := r.Listener.(resources.BeforeListener); ok && slices.Contains(r.kinds, c.Kind) {
		return l.Before(ctx, c)
	}
	return nil
}

func (r restricted) InTx(ctx context.Context, tx resources.Tx, c resources.Change) error {
	if l, ok := r.Listener.(resources.InTxListener); ok && slices.Contains(r.kinds, c.Kind) {
		return l.InTx(ctx, tx, c)
	}
	return nil
}

func (r restricted) After(ctx context.Context, c resources.Change, err error) {
	if l, ok := r.Listener.(resources.AfterListener); ok && slices.Contains(r.kinds, c.Kind) {
		l.After(ctx, c, err)
	}
}

var (
	_ resources.BeginListener  = Funcs{}
	_ resources.BeforeListener = Funcs{}
	_ resources.InTxListener   = Funcs{}
	_ resources.AfterListener  = Funcs{}
	_ resources.BeginListener  = restricted{}
	_ resources.BeforeListener = restricted{}
	_ resources.InTxListener   = restricted{}
	_ resources.AfterListener  = restricted{}
)
