package gormstore_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// Ticket is the embedder's own row.
type Ticket struct {
	ID int64 `gorm:"primaryKey"`
	VM string
}

// DB puts the embedder's own rows into the transaction of a change.
func ExampleDB() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "cloud")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	store, err := sqlite.Open(filepath.Join(dir, "cloud.db"), sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = store.Close(ctx) }()
	quiet := slog.New(slog.DiscardHandler)
	b := bus.New(bus.Options{Journal: store.Journal(), Logger: quiet})
	defer func() { _ = b.Close(ctx) }()
	engine, err := resources.New(resources.Options{Store: store, Bus: b, Logger: quiet, Listeners: []resources.Listener{listeners.Post()}})
	if err != nil {
		log.Fatal(err)
	}
	vms, err := resources.Register[vm.VM](engine, vm.Machine)
	if err != nil {
		log.Fatal(err)
	}
	err = store.Writer().Do(ctx, func(tx *journal.Tx) error { return tx.DB().AutoMigrate(&Ticket{}) })
	if err != nil {
		log.Fatal(err)
	}

	v, err := vms.Create(ctx, vm.VM{Object: resources.Object{ID: "web-1", Name: "web"}})
	if err != nil {
		log.Fatal(err)
	}
	change, err := vms.Fire(ctx, v.ID, vm.StartRequested, resources.With(func(tx resources.Tx) error {
		return gormstore.DB(tx).Create(&Ticket{VM: v.ID}).Error
	}))
	if err != nil {
		log.Fatal(err)
	}
	var ticket Ticket
	if err := store.Writer().DB().Take(&ticket).Error; err != nil {
		log.Fatal(err)
	}
	fmt.Println(change.EventType(), ticket.VM)
	// Output: vm.state.starting web-1
}
