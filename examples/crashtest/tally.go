package main

import (
	"context"
	"embed"
	"io/fs"
	"slices"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// The durable names of the counting subscribers: one, and one that is in a mood.
const (
	tallyName      = "tally"
	moodyTallyName = "moody_tally"
)

// tally counts every event in the database, exactly once: a row each, with its place in a total that the handler reads and writes back.
type tally struct {
	name   string
	life   int
	mood   *mood
	inject *fault
	victim uint64 // number of the event that is counted twice; 0: none is
}

// counted is a row of a tally.
type counted struct {
	Subscription string
	Place        uint64
	Seq          uint64
	Event        string
	Resource     string
	Life         int
}

// TableName is gorm's.
func (counted) TableName() string { return "crashtest_tally" }

//go:embed migrations/*.sql
var migrations embed.FS

// migrateTally makes the tables of the tallies.
func migrateTally(ctx context.Context, j *journal.Journal) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return j.Migrate(ctx, "crashtest", files)
}

// subscribe starts the tally. Its table must be there.
func (t *tally) subscribe(b *bus.Bus) error {
	opts := []bus.Option{bus.From(0)}
	if t.mood != nil {
		opts = append(opts, bus.Retry(1, 0))
	}
	_, err := journal.Subscribe(b.Client(t.name), t.name, t.count, opts...)
	return err
}

func (t *tally) count(_ context.Context, tx *journal.Tx, batch []bus.Event[bus.Raw]) error {
	batch = t.faulty(batch)
	for _, e := range batch {
		if err := t.mood.check(e.Subject()); err != nil {
			return err
		}
	}
	var total uint64
	if err := tx.DB().Table("crashtest_total").Where("subscription = ?", t.name).Select("total").Scan(&total).Error; err != nil {
		return err
	}
	rows := make([]counted, len(batch))
	for i, e := range batch {
		total++
		rows[i] = counted{Subscription: t.name, Place: total, Seq: e.Seq, Event: e.ID.String(), Resource: e.Subject(), Life: t.life}
	}
	if err := tx.DB().Create(&rows).Error; err != nil {
		return err
	}
	return tx.DB().Exec("UPDATE crashtest_total SET total = ? WHERE subscription = ?", total, t.name).Error
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
