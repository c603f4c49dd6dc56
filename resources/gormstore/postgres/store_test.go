package postgres_test

import (
	"context"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open opens a store on the schema of a DSN.
func open(t testing.TB, dsn string, o postgres.Options) *gormstore.Store {
	t.Helper()
	s, err := postgres.Open(dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) resources.Store { return open(t, postgrestest.Schema(t), postgres.Options{}) })
}

func TestJournal(t *testing.T) {
	bustest.Journal(t, func(t *testing.T) (bus.Journal, func(context.Context, ...bus.Payload) error) {
		j := open(t, postgrestest.Schema(t), postgres.Options{}).Writer()
		return j, func(ctx context.Context, payloads ...bus.Payload) error {
			return j.Do(ctx, func(tx *journal.Tx) error {
				for _, p := range payloads {
					if _, err := tx.Append(p); err != nil {
						return err
					}
				}
				return nil
			})
		}
	})
}
