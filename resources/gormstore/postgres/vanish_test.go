package postgres_test

import (
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

// TestNoTargetVanishesOnAnotherServer: one server ends gadgets while the other makes parts for them. No writer keeps them apart, the
// rows' locks do.
func TestNoTargetVanishesOnAnotherServer(t *testing.T) {
	dsn := postgrestest.Schema(t)
	kinds := func() (*resources.Kind[storetest.Gadget], *resources.Kind[storetest.Part], *server) {
		s := serve(t, dsn, postgres.Options{}, bus.Options{})
		gadgets, err := resources.Register[storetest.Gadget](s.engine, storetest.Machine)
		if err != nil {
			t.Fatal(err)
		}
		parts, err := resources.Register[storetest.Part](s.engine, storetest.PartMachine)
		if err != nil {
			t.Fatal(err)
		}
		return gadgets, parts, s
	}
	gadgets, _, here := kinds()
	_, parts, _ := kinds()
	storetest.CheckRelationRace(t, gadgets, parts, func() []bus.Record {
		records, err := here.store.Journal().Read(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		return records
	})
}
