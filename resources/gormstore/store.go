package gormstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources"
	"gorm.io/gorm"
)

//go:embed migrations/*.sql
var migrations embed.FS

func migrationFiles() fs.FS {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return files
}

// Options of New.
type Options struct {
	Journal *journal.Journal // Required.
	// Classify is journal.Options.Classify, for what is read outside of members. Defaults to leaving all errors as they are.
	Classify func(error) error
	// Close releases what lies under the journal: pools, locks. Called once by Store.Close, after the journal is closed. Defaults to nothing.
	Close func(ctx context.Context) error
	// Backup copies the database, as it is at one moment, into an empty file, and tells progress how many pages of how many are copied.
	// Defaults to nil: Store.Backup refuses.
	Backup func(ctx context.Context, file string, progress func(done, total int)) error
}

// Store keeps resources in the database of a journal. All methods may be called concurrently.
type Store struct {
	journal *journal.Journal
	db      *gorm.DB // for reading
	read    *sql.DB
	explain func(error) error // Options.Classify
	release func(ctx context.Context) error
	backup  func(ctx context.Context, file string, progress func(done, total int)) error
	copies  copies

	tables  sync.Map // *resources.Info → *table
	actions actionTexts

	mu     sync.Mutex
	closed bool
}

// New returns a store in the database of a journal.
func New(o Options) (*Store, error) {
	if o.Journal == nil {
		return nil, errors.New("gormstore: Options.Journal is required")
	}
	read, err := o.Journal.DB().DB()
	if err != nil {
		return nil, fmt.Errorf("gormstore: %w", err)
	}
	if o.Classify == nil {
		o.Classify = func(err error) error { return err }
	}
	if err := o.Journal.Migrate(context.Background(), "resources", migrationFiles()); err != nil {
		return nil, fmt.Errorf("gormstore: %w", err)
	}
	s := &Store{journal: o.Journal, db: o.Journal.DB(), read: read, explain: o.Classify, release: o.Close, backup: o.Backup}
	s.actions = s.writeActions()
	return s, nil
}

// Journal is the log that changes are recorded in, by their own transactions.
func (s *Store) Journal() bus.Journal { return s.journal }

// Writer is the same journal with all it has: Do, Query, cursors, migrations.
func (s *Store) Writer() *journal.Journal { return s.journal }

// Close waits for the members of the writer that are there, stops backups, then closes the database. If ctx ends first, nothing is closed, and Close may be called again.
// Close the bus before.
func (s *Store) Close(ctx context.Context) error {
	if err := s.journal.Close(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.release == nil {
		return nil
	}
	s.closed = true
	s.copies.close()
	return s.release(ctx)
}

// Bind applies the migrations of a kind (component kind_<name>) and compiles its statements.
func (s *Store) Bind(ctx context.Context, k *resources.Info) error {
	t, err := compile(s.db, k)
	if err != nil {
		return err
	}
	if m, ok := k.New().(resources.Migrator); ok {
		if err := s.journal.Migrate(ctx, "kind_"+k.Name, m.Migrations()); err != nil {
			return fmt.Errorf("gormstore: kind %s: %w", k.Name, err)
		}
	}
	if err := s.orderByBytes(ctx, t); err != nil {
		return err
	}
	if err := t.check(ctx, s.read); err != nil {
		return s.explain(err)
	}
	if err := s.indexStays(ctx, t); err != nil {
		return err
	}
	if t.byID, err = s.read.PrepareContext(ctx, t.load); err != nil {
		return fmt.Errorf("gormstore: kind %s: %w", k.Name, s.explain(err))
	}
	s.tables.Store(k, t)
	return nil
}

func (s *Store) table(k *resources.Info) (*table, error) {
	t, ok := s.tables.Load(k)
	if !ok {
		return nil, fmt.Errorf("gormstore: kind %s isn't bound to this store", k.Name)
	}
	return t.(*table), nil
}

// Load reads the committed row.
func (s *Store) Load(ctx context.Context, k *resources.Info, id string) (any, error) {
	t, err := s.table(k)
	if err != nil {
		return nil, err
	}
	obj, err := t.scan(ctx, t.byID.QueryRowContext(ctx, id).Scan)
	if err != nil {
		return nil, t.notFound(id, s.explain(err))
	}
	return obj, nil
}

// LoadAll reads the committed rows of those ids that are there.
func (s *Store) LoadAll(ctx context.Context, k *resources.Info, ids []string) ([]any, error) {
	values := make([]any, len(ids))
	for i, id := range ids {
		values[i] = id
	}
	return s.List(ctx, k, resources.Query{Where: map[string]any{"id": values}, Limit: len(ids)})
}

// How the log calls changes.
var (
	change           = []journal.MemberOption{journal.Named("change of a resource")}
	backgroundChange = []journal.MemberOption{journal.Named("background change of resources"), journal.Background()}
)

// Do runs fn as one member of the writer.
func (s *Store) Do(ctx context.Context, fn func(resources.StoreTx) error) error {
	return s.journal.Do(ctx, func(tx *journal.Tx) error { return fn(s.enter(tx)) }, change...)
}

// DoInBackground runs fn as a member that lets those go first that somebody waits for.
func (s *Store) DoInBackground(ctx context.Context, fn func(resources.StoreTx) error) error {
	return s.journal.Do(ctx, func(tx *journal.Tx) error { return fn(s.enter(tx)) }, backgroundChange...)
}

var (
	_ resources.BackgroundStore = (*Store)(nil)
	_ resources.BatchLoader     = (*Store)(nil)
)
