package resources

import (
	"io/fs"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

// Object is what every resource has. Each kind embeds it, by value.
//
// ID, Tenant, Name and State may be given to Create. All but Tenant and Name belong to the engine: a Set or Update that alters them is
// refused with an *InvalidError that names the field.
type Object struct {
	ID         string    `json:"id" gorm:"primaryKey;type:text"`
	Tenant     string    `json:"tenant" gorm:"type:text;not null"`
	Name       string    `json:"name" gorm:"type:text;not null"`
	State      fsm.State `json:"state" gorm:"type:text;not null"`
	Origin     fsm.State `json:"origin,omitempty" gorm:"type:text;not null"`   // the steady state it left for this transitional one
	Operation  bus.ID    `json:"operation,omitzero" gorm:"type:text;not null"` // id of the event that entered the transitional state
	Version    uint64    `json:"version" gorm:"not null"`                      // 1 when created, one more with each change
	StateSince time.Time `json:"state_since" gorm:"serializer:unixnano;type:bigint;not null"`
	CreatedAt  time.Time `json:"created_at" gorm:"serializer:unixnano;type:bigint;not null;autoCreateTime:false"`
	UpdatedAt  time.Time `json:"updated_at" gorm:"serializer:unixnano;type:bigint;not null;autoUpdateTime:false"` // of the last change; never falls
	RemovedAt  time.Time `json:"removed_at,omitzero" gorm:"serializer:unixnano;type:bigint;not null"`             // when it reached a final state
}

func (o *Object) object() *Object { return o }

// ObjectOf returns the Object embedded in v, a *T of a registered kind. It is nil for anything else.
func ObjectOf(v any) *Object {
	if o, ok := v.(interface{ object() *Object }); ok {
		return o.object()
	}
	return nil
}

// Migrator is implemented by *T of kinds that bring the SQL of their table: *.sql files in goose's format at the root of the FS,
// portable between SQLite and PostgreSQL, or in folders sqlite and postgres where they differ.
type Migrator interface{ Migrations() fs.FS }

// Validator is implemented by *T of kinds that check their own fields. The engine calls Validate at Create, at Update and after each
// Set; its error is returned as an *InvalidError that wraps it.
type Validator interface{ Validate() error }

// Mover is implemented by *T of kinds that keep facts about their past, for guards: Moved is called in each move, when the new state
// and all that Set altered are in place, before the row is written. It may run more than once for one change, and may alter only what
// Set may.
type Mover interface {
	Moved(from, to fsm.State, on fsm.Trigger)
}
