package journal_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
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
	var store *gormstore.Store
	var err error
	if postgrestest.On() {
		store, err = openPostgres(t, o)
	} else {
		store, err = sqlite.Open(filepath.Join(t.TempDir(), "cloud.db"), o)
	}
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
	attachAs(t, j, bus.Attachment{Prepare: prepare, Wake: func(last uint64) { woken.Store(last) }})
	return &woken
}

// attachShown stands in for a bus that takes what is handed over.
func attachShown(t testing.TB, j *journal.Journal) (shown func() []bus.Record) {
	t.Helper()
	var mu sync.Mutex
	var all []bus.Record
	attachAs(t, j, bus.Attachment{Prepare: prepare, Wake: func(uint64) {}, Committed: func(records []bus.Record) {
		if !mu.TryLock() {
			t.Error("calls of Committed overlap")
			return
		}
		defer mu.Unlock()
		all = append(all, records...)
	}})
	return func() []bus.Record { return all }
}

func attachAs(t testing.TB, j *journal.Journal, a bus.Attachment) {
	t.Helper()
	detach, err := j.Attach(a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(detach)
}

func prepare(_ context.Context, p bus.Payload, stamps ...bus.Stamp) (bus.Record, error) {
	data, err := json.Marshal(p)
	now := time.Now().UTC()
	r := bus.Record{Header: bus.Header{ID: bus.NewID(now), Type: p.EventType(), Schema: 1, Source: "test", Time: now}, Data: data}
	for _, s := range stamps {
		s(&r.Header)
	}
	return r, err
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
