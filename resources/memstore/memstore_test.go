package memstore_test

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) resources.Store { return memstore.New(memstore.Options{}) })
}

func TestJournal(t *testing.T) {
	bustest.Journal(t, func(*testing.T) (bus.Journal, func(context.Context, ...bus.Payload) error) {
		s := memstore.New(memstore.Options{})
		return s.Journal(), func(ctx context.Context, payloads ...bus.Payload) error {
			return s.Do(ctx, func(tx resources.StoreTx) error {
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

type tick struct{ N int }

func (tick) EventType() string { return "test.tick" }

func newStore(t *testing.T, o memstore.Options) (*memstore.Store, *bus.Bus) {
	t.Helper()
	s := memstore.New(o)
	b := bus.New(bus.Options{Logger: slog.New(slog.DiscardHandler), Source: "test", Journal: s.Journal()})
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	if err := bus.Register[tick](b, "test.tick", 1); err != nil {
		t.Fatal(err)
	}
	return s, b
}

func appendTicks(t *testing.T, s *memstore.Store, from, n int) {
	t.Helper()
	for i := range n {
		err := s.Do(context.Background(), func(tx resources.StoreTx) error {
			_, err := tx.Append(tick{from + i})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestRetentionKeepsTheNewestAndWhatCursorsNeed(t *testing.T) {
	ctx := context.Background()
	s, _ := newStore(t, memstore.Options{Keep: 100})
	j := s.Journal()
	appendTicks(t, s, 0, 1000)
	first, last, err := j.Bounds(ctx)
	if err != nil || last != 1000 || last-first+1 < 100 || last-first+1 > 130 {
		t.Fatalf("after 1,000 events: %d to %d, %v", first, last, err)
	}
	if page, err := j.Read(ctx, 0, 1); err != nil || len(page) != 1 || page[0].Seq != first {
		t.Errorf("Read from before the first: %v, %v", page, err)
	}
	if err := j.SetCursor(ctx, "slow", 950); err != nil {
		t.Fatal(err)
	}
	appendTicks(t, s, 1000, 1000)
	if first, _, _ = j.Bounds(ctx); first > 951 {
		t.Errorf("the first is %d, though a cursor is at 950", first)
	}
	if err := j.SetCursor(ctx, "slow", 2000); err != nil {
		t.Fatal(err)
	}
	appendTicks(t, s, 2000, 1)
	if first, _, _ = j.Bounds(ctx); first < 1900 {
		t.Errorf("the first is %d, though the cursor has moved on", first)
	}
}

func TestASlowCursorDoesNotSlowAppends(t *testing.T) {
	s, _ := newStore(t, memstore.Options{Keep: 100})
	if err := s.Journal().SetCursor(t.Context(), "away", 0); err != nil {
		t.Fatal(err)
	}
	appendTicks(t, s, 0, 5000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	appendTicks(t, s, 5000, 100)
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / 100; each > 100_000 { // copying 5,000 records takes more than a million
		t.Errorf("an append takes %d bytes behind 5,000 events that a cursor holds", each)
	}
}

func TestWaitingForItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New(memstore.Options{})
		err := s.Do(context.Background(), func(resources.StoreTx) error {
			return s.Do(context.Background(), func(resources.StoreTx) error { return nil }) // not tx.Context()
		})
		if !errors.Is(err, memstore.ErrBusy) {
			t.Errorf("Do in Do with a foreign context: %v, want ErrBusy", err)
		}
		if err := s.Do(context.Background(), func(resources.StoreTx) error { return nil }); err != nil {
			t.Errorf("Do afterwards: %v", err)
		}
	})
}

func TestAppendWithoutABus(t *testing.T) {
	s := memstore.New(memstore.Options{})
	err := s.Do(context.Background(), func(tx resources.StoreTx) error {
		_, err := tx.Append(tick{})
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "no bus is attached") {
		t.Errorf("Append: %v", err)
	}
}

func TestRowsSurviveTheirEngine(t *testing.T) {
	s := memstore.New(memstore.Options{})
	info := &resources.Info{Name: "gadget", Type: reflect.TypeFor[storetest.Gadget]()}
	other := &resources.Info{Name: "gadget", Type: reflect.TypeFor[resources.Object]()}
	for range 2 {
		if err := s.Bind(context.Background(), info); err != nil {
			t.Error(err)
		}
	}
	if err := s.Bind(context.Background(), other); err == nil {
		t.Error("a kind of another Go type was bound")
	}
}
