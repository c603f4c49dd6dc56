package bridge_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/plugintest"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

func TestPluginContract(t *testing.T) {
	newPlugin := func() plugins.Plugin {
		b, err := bridge.New(&fakeSink{}, bridge.Options{})
		must(t, err)
		return b
	}
	plugintest.Run(t, newPlugin, plugintest.Database(database), plugintest.Feed(feed))
}

// database opens a bus whose journal is in a new database.
func database(t testing.TB) *bus.Bus {
	log := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(filepath.Join(t.TempDir(), "test.db"), sqlite.Options{Logger: log})
	must(t, err)
	b := bus.New(bus.Options{Source: "cloudbus/test", Logger: log, Journal: store.Journal()})
	t.Cleanup(func() {
		if err := errors.Join(b.Close(context.Background()), store.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return b
}

func feed(t testing.TB, b *bus.Bus) {
	must(t, bus.Register[fact](b, "thing.>", 1))
	must(t, b.Journal().(*journal.Journal).Do(context.Background(), func(tx *journal.Tx) error {
		_, err := tx.Append(fact{ID: "1", What: "created"})
		return err
	}))
}
