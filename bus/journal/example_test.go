package journal_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// Paid is an event.
type Paid struct {
	Cents int `json:"cents"`
}

func (Paid) EventType() string { return "invoice.paid" }

// A member writes rows and events together. A subscription of the journal keeps a sum in the same database, exactly once.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	store, err := sqlite.Open(filepath.Join(dir, "cloud.db"), sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = store.Close(ctx) }()
	j := store.Writer()
	b := bus.New(bus.Options{Journal: j, Logger: slog.New(slog.DiscardHandler)})
	defer func() { _ = b.Close(ctx) }()
	if err := bus.Register[Paid](b, "invoice.>", 1); err != nil {
		log.Fatal(err)
	}

	err = j.Do(ctx, func(tx *journal.Tx) error {
		return tx.DB().Exec("CREATE TABLE income (cents INTEGER NOT NULL)").Error
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = journal.Subscribe(b.Client("accounting"), "income", func(_ context.Context, tx *journal.Tx, batch []bus.Event[Paid]) error {
		for _, e := range batch {
			if err := tx.DB().Exec("INSERT INTO income VALUES (?)", e.Payload.Cents).Error; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}

	for _, cents := range []int{1999, 500} {
		err := j.Do(ctx, func(tx *journal.Tx) error {
			_, err := tx.Append(Paid{Cents: cents}, bus.WithActor("user:42"))
			return err
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	if err := b.Flush(ctx); err != nil {
		log.Fatal(err)
	}

	var sum int
	if err := j.DB().Raw("SELECT sum(cents) FROM income").Scan(&sum).Error; err != nil {
		log.Fatal(err)
	}
	fmt.Println("income:", sum)
	records, err := j.Query(ctx, journal.Query{Type: "invoice.>", Actor: "user:42", Newest: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range records {
		fmt.Println(r.Seq, r.Type, string(r.Data))
	}
	// Output:
	// income: 2499
	// 2 invoice.paid {"cents":500}
	// 1 invoice.paid {"cents":1999}
}
