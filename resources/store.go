package resources

import (
	"context"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

// Store keeps resources. The engine is its only caller and validates what it passes. All methods may be called concurrently.
// Objects go in and out as *T and are the caller's: a store keeps and gives copies. Times are UTC.
type Store interface {
	// Bind makes the store ready for a kind: migrations, statements. Called at Register, before anything else of that kind; again,
	// with another Info, if that Register failed.
	Bind(ctx context.Context, k *Info) error
	// Load reads the committed row; ErrNotFound.
	Load(ctx context.Context, k *Info, id string) (any, error)
	// List returns up to q.Limit objects in order of ID (bytewise). q.Limit is set, and one more than the engine's page.
	// Each value of q.Where has exactly its field's type, or is an []any of such values, of which any may match.
	List(ctx context.Context, k *Info, q Query) ([]any, error)
	// CountStates counts rows by state.
	CountStates(ctx context.Context, k *Info) (map[fsm.State]int64, error)
	// Overdue returns up to n objects, those that are in the state for longest first, whose stay in it (as named by Operation) was never
	// reported and began at or before until, or was reported last at or before until (StoreTx.Report).
	Overdue(ctx context.Context, k *Info, state fsm.State, until time.Time, n int) ([]any, error)
	// NextStay returns the earliest time after a time at which an object that is in the state came into it, or at which a stay in the
	// state was reported last; the zero time if there is none. It may tell of stays that are over.
	NextStay(ctx context.Context, k *Info, state fsm.State, after time.Time) (time.Time, error)
	// Stays returns up to q.Limit objects that are in a state, in order of StateSince and ID.
	Stays(ctx context.Context, k *Info, q StayQuery) ([]any, error)
	// Do runs fn as one member of the writer; all of it or nothing is committed. It may run fn more than once; what counts is the last
	// time. bus.ErrInWriter if ctx is a member's. fn's context (StoreTx.Context) has the values of ctx, but not its end.
	// An error of fn comes back as it is or wrapped.
	Do(ctx context.Context, fn func(StoreTx) error) error
	// Journal is the log that Append writes to, in the same transaction, and the identity of the writer (bus.InWriter).
	Journal() bus.Journal
}

// BackgroundStore is implemented by stores in whose writer members that somebody waits for go first, before those of DoInBackground.
// That is like Do in all else.
type BackgroundStore interface {
	Store
	DoInBackground(ctx context.Context, fn func(StoreTx) error) error
}

// BatchLoader is implemented by stores that read many rows faster than one after the other.
type BatchLoader interface {
	Store
	// LoadAll returns the committed rows of those ids that are there, each once, in any order. There are at most 1,000 ids.
	LoadAll(ctx context.Context, k *Info, ids []string) ([]any, error)
}

// StateLister is implemented by stores that find the states that rows are in faster than by counting them all.
type StateLister interface {
	Store
	// States returns each state that a committed row is in, once.
	States(ctx context.Context, k *Info) ([]fsm.State, error)
}

// StayQuery selects the resources that are in a state, by how long they are.
type StayQuery struct {
	State fsm.State
	Until time.Time // StateSince is at or before it
	// After is the last of the page before: what comes after its StateSince and ID; nil for the first page.
	After *Object
	Limit int
}

// Tx is what listeners and resources.With see of the transaction that carries a change. It is valid until they return, and is for one
// goroutine.
type Tx interface {
	// Context belongs to the member: what would wait for the writer returns bus.ErrInWriter.
	Context() context.Context
	// Append stages a recorded event; it exists when the transaction has committed. Time, actor, correlation and (for the same
	// resource) version are the change's, unless stamps say otherwise. ErrTxDone when the Tx isn't valid any more.
	Append(p bus.Payload, stamps ...bus.Stamp) (bus.ID, error)
	// Value is how a store hands out what is its own: gormstore.DB(tx).
	Value(key any) any

	// Resource reads a resource as *T, as this transaction has left it, and keeps everybody else from altering it until the
	// transaction has ended: of two transactions that read the same one, the second waits for the first.
	// Errors: *UnknownError for a kind that isn't registered; ErrNotFound; ErrTxDone.
	Resource(kind, id string) (any, error)
	// State reads the state of a resource, and keeps it from changing until the transaction has ended. Any number of transactions
	// may do that at a time, so it costs others less than Resource. Errors as for Resource.
	State(kind, id string) (fsm.State, error)
	// Resources reads resources as Handle.List does, as this transaction has left them: at most q.Limit (default 100, at most 1,000),
	// in order of ID; for more, ask again with the last one's ID as q.After. It locks none of them: what must not change while the
	// transaction runs has to be locked by Resource or State, a resource that all who could change it lock too.
	// Errors: those of List; ErrTxDone.
	Resources(kind string, q Query) ([]any, error)
}

// StoreTx is what a store gives the engine.
type StoreTx interface {
	// Context, Append and Value are those of Tx.
	Context() context.Context
	Append(p bus.Payload, stamps ...bus.Stamp) (bus.ID, error)
	Value(key any) any
	// Load reads a row, and keeps others from altering it until the member has ended; ErrNotFound.
	Load(k *Info, id string) (any, error)
	// State reads a row's state, and keeps others from altering the row until the member has ended, but not from doing the same; ErrNotFound.
	State(k *Info, id string) (fsm.State, error)
	// List is Store.List, but sees what the member has written. It locks nothing.
	List(k *Info, q Query) ([]any, error)
	Insert(k *Info, obj any) error                 // ErrExists
	Update(k *Info, obj any, version uint64) error // writes all columns where id and version match; ErrConflict if no row does
	// Delete removes the row where id and version match, and what was reported about it; ErrConflict if no row does.
	Delete(k *Info, id string, version uint64) error
	// Report notes that obj's stay in its state, named by its Operation, was reported for a time, and returns how many reports of the
	// stay there are now; 0 if it was reported for that time, or a later one, before.
	Report(k *Info, obj any, at time.Time) (times int, err error)
	// ForgetReports forgets the reports of stays in a state that are over, of those that were reported last at or before a time.
	ForgetReports(k *Info, state fsm.State, until time.Time) error
}
