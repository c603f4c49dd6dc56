package resources

import (
	"context"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// OpenAction is an action that has no end yet. Stores keep it as a row.
type OpenAction struct {
	ID            bus.ID    `json:"id"`
	Kind          string    `json:"kind"`
	Verb          string    `json:"verb"`
	ResourceID    string    `json:"resource_id,omitempty"`
	Tenant        string    `json:"tenant,omitempty"`
	Actor         string    `json:"actor"`
	Reason        string    `json:"reason,omitempty"`
	CorrelationID string    `json:"correlation_id"`
	Owner         string    `json:"owner"` // the server that carries it out, or, before its start, that scheduled it
	ScheduledAt   time.Time `json:"scheduled_at"`
	StartedAt     time.Time `json:"started_at,omitzero"` // zero: it hasn't been started
	Started       bus.ID    `json:"started,omitzero"`    // id of its started event
}

// ActionQuery selects open actions. The zero value lists all, in order of ID, which is that of scheduling. All conditions that are given
// must hold.
type ActionQuery struct {
	Kind, Verb, ResourceID, Tenant, Actor string

	After bus.ID // keyset: actions after this one
	Limit int    // Defaults to 100; at most 1,000
}

// ActionStore is implemented by stores that keep open actions. All methods may be called concurrently. The transactions of its Do, and of
// DoInBackground if it has that, are ActionTx.
type ActionStore interface {
	Store
	// OwnActions makes sure that the open actions of this process aren't abandoned, and returns its name as their owner: another after each
	// opening of a store that outlives its process.
	OwnActions(ctx context.Context) (owner string, err error)
	// Action reads an open action; ErrNotFound.
	Action(ctx context.Context, id bus.ID) (OpenAction, error)
	// Actions returns up to q.Limit, which is set, open actions in order of ID.
	Actions(ctx context.Context, q ActionQuery) ([]OpenAction, error)
	// AbandonedActions returns up to n open actions, in order of ID, whose owner is gone.
	AbandonedActions(ctx context.Context, n int) ([]OpenAction, error)
	// ActionsAbandonedAfter is how long an owner may be silent before it is taken for gone; 0: owners go only before this process began.
	ActionsAbandonedAfter() time.Duration
}

// ActionTx is what an ActionStore gives the engine.
type ActionTx interface {
	StoreTx
	// InsertAction adds an open action; ErrConflict if its owner is gone: OwnActions brings it back.
	InsertAction(a OpenAction) error
	// StartAction notes that a scheduled action was started, by whom, when and with which event; ErrConflict if the owner is gone,
	// ErrNotFound if the action isn't open, or was started before.
	StartAction(a OpenAction) error
	// DeleteAction removes an open action; ErrNotFound if it isn't open.
	DeleteAction(id bus.ID) error
	// ActionOwnerGone reports whether an owner is gone.
	ActionOwnerGone(owner string) (bool, error)
}
