package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// gormMoves makes a move as one would with gorm: a transaction that reads the row, updates it, and inserts the event.
type gormMoves struct {
	pool  *sql.DB
	db    *gorm.DB
	ids   []string
	steps []int
}

// journalRow is a row of the journal; its number is the database's.
type journalRow struct {
	Seq           uint64 `gorm:"primaryKey"`
	ID            string
	Type          string
	Schema        int
	Kind          string
	ResourceID    string
	Version       uint64
	Tenant        string
	Actor         string
	Source        string
	Time          int64
	RecordedAt    int64
	CorrelationID string
	CausationID   string
	TraceParent   string
	Data          string
}

func (journalRow) TableName() string { return "journal" }

func openGorm(path string, ids []string, pragmas map[string]string) (*gormMoves, error) {
	pool, err := openDatabase(path, pragmas)
	if err != nil {
		return nil, err
	}
	db, err := gorm.Open(sqlite.New(sqlite.Config{Conn: pool}), &gorm.Config{PrepareStmt: true, Logger: logger.Discard})
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return &gormMoves{pool: pool, db: db, ids: ids, steps: make([]int, len(ids))}, nil
}

var errChanged = errors.New("gorm: somebody else has moved the VM")

func (g *gormMoves) fire(i int) error {
	on := powerCycle[g.steps[i]&3]
	g.steps[i]++
	return g.db.Transaction(func(tx *gorm.DB) error {
		var v vm.VM
		if err := tx.First(&v, "id = ?", g.ids[i]).Error; err != nil {
			return err
		}
		from := v
		step, err := vm.Machine.Next(v.State, v.Origin, on, &v)
		if err != nil {
			return err
		}
		change := resources.Change{
			ID: bus.NewID(time.Now()), Action: resources.Moved, Kind: vm.Kind, ResourceID: v.ID, Tenant: v.Tenant, Trigger: on,
			From: from.State, To: step.To, FromOrigin: from.Origin, Origin: step.Origin, Version: v.Version + 1, Time: time.Now().UTC(), Since: v.StateSince,
		}
		v.State, v.Origin, v.Version, v.StateSince, v.UpdatedAt = step.To, step.Origin, change.Version, change.Time, change.Time
		v.Operation = bus.ID{}
		if step.Origin != "" {
			v.Operation = change.ID
		}
		res := tx.Select("*").Where("version = ?", from.Version).Updates(&v)
		if res.Error != nil {
			return res.Error
		}
		if res.RowsAffected != 1 {
			return errChanged
		}
		return g.append(tx, vm.Changed{Change: change, Resource: v})
	})
}

func (g *gormMoves) append(tx *gorm.DB, e vm.Changed) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	at := e.Change.Time.UnixNano()
	return tx.Create(&journalRow{
		ID: e.Change.ID.String(), Type: e.EventType(), Schema: 1, Kind: e.Kind, ResourceID: e.ResourceID, Version: e.Change.Version, Tenant: e.Change.Tenant,
		Source: source, Time: at, RecordedAt: at, CorrelationID: e.Change.ID.String(), Data: string(data),
	}).Error
}

func (g *gormMoves) settle() error { return nil }

func (g *gormMoves) close() error { return g.pool.Close() }

var _ firing = (*gormMoves)(nil)
