package resources

import (
	"context"
	"reflect"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

// Info describes a registered kind to a store. Stores may keep what they compile from it in a map by *Info.
type Info struct {
	Name    string
	Type    reflect.Type // T
	Machine *fsm.Machine
	Fields  []Field // that queries may filter on, Object's included
}

// Field of a kind: a column, by its JSON name.
type Field struct {
	Name  string
	Index []int // reflect path in T
	Type  reflect.Type
}

// New returns a pointer to a zero T.
func (i *Info) New() any { return reflect.New(i.Type).Interface() }

// Query selects resources of a kind. The zero value lists all, in order of ID.
type Query struct {
	Tenant string
	States []fsm.State
	Where  map[string]any // field (JSON name) equals value, or one of a slice of values
	After  string         // keyset: IDs after this one
	Limit  int            // Defaults to 100; at most 1,000
}

// Store keeps resources. The engine is its only caller and validates what it passes. All methods may be called concurrently.
// Objects go in and out as *T and are the caller's.
type Store interface {
	// Bind makes the store ready for a kind: migrations, statements. Called once per kind, at Register.
	Bind(ctx context.Context, k *Info) error
	// Load reads the committed row; ErrNotFound.
	Load(ctx context.Context, k *Info, id string) (any, error)
	// List returns up to q.Limit objects in order of ID (bytewise).
	List(ctx context.Context, k *Info, q Query) ([]any, error)
	// CountStates counts rows by state.
	CountStates(ctx context.Context, k *Info) (map[fsm.State]int64, error)
	// Do runs fn as one member of the writer; all of it or nothing is committed. bus.ErrInWriter if ctx is a member's.
	Do(ctx context.Context, fn func(StoreTx) error) error
	// Journal is the log that Append writes to, in the same transaction.
	Journal() bus.Journal
}

// Tx is what listeners and resources.With see of the transaction that carries a change. It is valid until they return.
type Tx interface {
	// Context belongs to the member: what would wait for the writer returns bus.ErrInWriter.
	Context() context.Context
	// Append stages a recorded event; it exists when the transaction has committed. Time, actor, correlation and (for the same resource) version are the change's.
	Append(p bus.Payload, stamps ...bus.Stamp) (bus.ID, error)
	// Value is how a store hands out what is its own: gormstore.DB(tx).
	Value(key any) any
}

// StoreTx is what a store gives the engine.
type StoreTx interface {
	Tx
	Load(k *Info, id string) (any, error)          // ErrNotFound
	Insert(k *Info, obj any) error                 // ErrExists
	Update(k *Info, obj any, version uint64) error // writes all columns where id and version match; ErrConflict if no row does
}
