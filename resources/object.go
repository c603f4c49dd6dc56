package resources

import (
	"io/fs"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

// Object is embedded, by value, by every kind.
type Object struct {
	ID         string    `json:"id" gorm:"primaryKey;type:text"`
	Tenant     string    `json:"tenant" gorm:"type:text;not null"`
	Name       string    `json:"name" gorm:"type:text;not null"`
	State      fsm.State `json:"state" gorm:"type:text;not null"`
	Origin     fsm.State `json:"origin,omitempty" gorm:"type:text;not null"`
	Operation  bus.ID    `json:"operation,omitzero" gorm:"type:text;not null"` // id of the event that entered the transitional state
	Version    uint64    `json:"version" gorm:"not null"`
	StateSince time.Time `json:"state_since" gorm:"serializer:unixnano;type:bigint;not null"`
	CreatedAt  time.Time `json:"created_at" gorm:"serializer:unixnano;type:bigint;not null;autoCreateTime:false"`
	UpdatedAt  time.Time `json:"updated_at" gorm:"serializer:unixnano;type:bigint;not null;autoUpdateTime:false"`
	RemovedAt  time.Time `json:"removed_at,omitzero" gorm:"serializer:unixnano;type:bigint;not null"` // when it reached a final state
}

func (o *Object) object() *Object { return o }

// ObjectOf returns the Object embedded in *T of a registered kind.
func ObjectOf(v any) *Object { panic("unwritten") }

// Migrator is implemented by *T of kinds that bring the SQL of their table: *.sql files in goose's format at the root of the FS,
// portable between SQLite and PostgreSQL, or in folders sqlite and postgres where they differ.
type Migrator interface{ Migrations() fs.FS }

// Validator is implemented by *T of kinds that check their own fields; the engine calls it at Create, Update and after Set.
type Validator interface{ Validate() error }
