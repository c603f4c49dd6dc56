package bustest_test

import (
	"context"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
)

func TestMemJournal(t *testing.T) {
	bustest.Journal(t, func(*testing.T) (bus.Journal, func(context.Context, ...bus.Payload) error) {
		j := bustest.NewJournal()
		return j, func(ctx context.Context, p ...bus.Payload) error {
			_, err := j.Append(ctx, p...)
			return err
		}
	})
}
