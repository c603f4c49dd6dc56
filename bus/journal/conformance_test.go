package journal_test

import (
	"context"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

func TestConformance(t *testing.T) {
	bustest.Journal(t, func(t *testing.T) (bus.Journal, func(context.Context, ...bus.Payload) error) {
		j := open(t, sqlite.Options{})
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
