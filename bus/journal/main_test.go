package journal_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// note is the payload of these tests.
type note struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

func (n note) EventType() string { return n.Type }

// open returns the journal of a new database.
func open(t testing.TB, o sqlite.Options) *journal.Journal {
	t.Helper()
	store, err := sqlite.Open(filepath.Join(t.TempDir(), "cloud.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return store.Writer()
}

// attach stands in for a bus; it returns what Wake was last called with.
func attach(t testing.TB, j *journal.Journal) *atomic.Uint64 {
	t.Helper()
	var woken atomic.Uint64
	detach, err := j.Attach(bus.Attachment{
		Prepare: func(_ context.Context, p bus.Payload, stamps ...bus.Stamp) (bus.Record, error) {
			data, err := json.Marshal(p)
			now := time.Now().UTC()
			r := bus.Record{Header: bus.Header{ID: bus.NewID(now), Type: p.EventType(), Schema: 1, Source: "test", Time: now}, Data: data}
			for _, s := range stamps {
				s(&r.Header)
			}
			return r, err
		},
		Wake: func(last uint64) { woken.Store(last) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(detach)
	return &woken
}

func exec(t testing.TB, j *journal.Journal, query string, args ...any) {
	t.Helper()
	if err := j.Do(t.Context(), func(tx *journal.Tx) error { return tx.DB().Exec(query, args...).Error }); err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, j *journal.Journal, table string) (n int64) {
	t.Helper()
	if err := j.DB().Table(table).Count(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}
