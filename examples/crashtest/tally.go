package main

import (
	"context"
	"embed"
	"io/fs"
	"slices"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// tallyName is the durable name of the counting subscriber.
const tallyName = "tally"

// tally counts every event in the database, exactly once: a row each, with its place in a total that the handler reads and writes back.
type tally struct {
	life   int
	inject *fault
	victim uint64 // number of the event that is counted twice; 0: none is
}

// counted is a row of the tally.
type counted struct {
	Place    uint64
	Seq      uint64
	Event    string
	Resource string
	Life     int
}

// TableName is gorm's.
func (counted) TableName() string { return "crashtest_tally" }

//go:embed migrations/*.sql
var migrations embed.FS

// subscribe makes the tally's tables and starts it.
func (t *tally) subscribe(ctx context.Context, c *bus.Client, j *journal.Journal) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	if err := j.Migrate(ctx, "crashtest", files); err != nil {
		return err
	}
	_, err = journal.Subscribe(c, tallyName, t.count, bus.From(0))
	return err
}

func (t *tally) count(_ context.Context, tx *journal.Tx, batch []bus.Event[bus.Raw]) error {
	batch = t.faulty(batch)
	var total uint64
	if err := tx.DB().Table("crashtest_total").Select("total").Scan(&total).Error; err != nil {
		return err
	}
	rows := make([]counted, len(batch))
	for i, e := range batch {
		total++
		rows[i] = counted{Place: total, Seq: e.Seq, Event: e.ID.String(), Resource: e.Subject(), Life: t.life}
	}
	if err := tx.DB().Create(&rows).Error; err != nil {
		return err
	}
	return tx.DB().Exec("UPDATE crashtest_total SET total = ?", total).Error
}

// faulty counts an event twice if that was asked for, as if its batch had come again after the commit. What is rolled back and tried again is as wrong again.
func (t *tally) faulty(batch []bus.Event[bus.Raw]) []bus.Event[bus.Raw] {
	if t.victim == 0 && t.inject.strike() {
		t.victim = batch[0].Seq
	}
	i := slices.IndexFunc(batch, func(e bus.Event[bus.Raw]) bool { return e.Seq == t.victim })
	if i < 0 {
		return batch
	}
	return slices.Insert(slices.Clone(batch), i, batch[i])
}
