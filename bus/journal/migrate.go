package journal

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/pressly/goose/v3"
)

var componentName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,40}$`)

func migrationFiles() fs.FS {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return files
}

// Migrate applies those migrations of a component that haven't been yet, with everyone else waiting. files holds SQL files in goose's format,
// named 00001_what.sql, at its root or, where databases differ, in folders sqlite and postgres. The versions that were applied are in the table
// goose_<component>. Names of components are [a-z][a-z0-9_]*, at most 41 characters. A database that knows a newer version than files is ErrNewerSchema.
func (j *Journal) Migrate(ctx context.Context, component string, files fs.FS) error {
	if !componentName.MatchString(component) {
		return fmt.Errorf("journal: migrate: component %q must match %s", component, componentName)
	}
	if bus.InWriter(ctx, j) {
		return ErrInWriter
	}
	files, err := j.migrationsFor(component, files)
	if err != nil {
		return err
	}
	w := newWaiter()
	w.first = true
	if err := j.turns.take(ctx, w); err != nil {
		return err
	}
	defer j.turns.give()
	j.line.close()
	if err := j.migrate(context.WithoutCancel(ctx), component, files); err != nil {
		return fmt.Errorf("journal: migrate %s: %w", component, j.line.fail(err))
	}
	return nil
}

// migrationsFor finds the folder of the database that we are on.
func (j *Journal) migrationsFor(component string, files fs.FS) (fs.FS, error) {
	if files == nil {
		return nil, fmt.Errorf("journal: migrate %s: no files", component)
	}
	folders := 0
	for _, dialect := range []string{"sqlite", "postgres"} {
		if info, err := fs.Stat(files, dialect); err == nil && info.IsDir() {
			folders++
			if dialect == j.dialect {
				return fs.Sub(files, dialect)
			}
		}
	}
	if folders > 0 {
		return nil, fmt.Errorf("journal: migrate %s: the files have no folder for %s", component, j.dialect)
	}
	return files, nil
}

func (j *Journal) migrate(ctx context.Context, component string, files fs.FS) error {
	db := j.line.db
	unlock, err := j.lockMigrations(ctx, db)
	if err != nil {
		return err
	}
	defer unlock()
	if db.Stats().MaxOpenConnections == 1 {
		db.SetMaxOpenConns(2) // goose holds one and takes another for migrations outside of a transaction
		defer db.SetMaxOpenConns(1)
	}
	dialect := goose.DialectSQLite3
	if j.dialect == "postgres" {
		dialect = goose.DialectPostgres
	}
	p, err := goose.NewProvider(dialect, db, files,
		goose.WithTableName("goose_"+component), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if errors.Is(err, goose.ErrNoMigrations) {
		return errors.New("there are no files <number>_<what>.sql")
	}
	if err != nil {
		return err
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return j.unreadable(ctx, component, err)
	}
	if current > target {
		return fmt.Errorf("%w: the database has version %d, the newest known is %d", ErrNewerSchema, current, target)
	}
	_, err = p.Up(ctx)
	return err
}

// unreadable looks why the versions can't be read: goose takes a table that is damaged for one that isn't there.
func (j *Journal) unreadable(ctx context.Context, component string, err error) error {
	var n int
	probe := j.line.db.QueryRowContext(ctx, "SELECT count(*) FROM goose_"+component).Scan(&n)
	if errors.Is(j.line.classify(probe), ErrCorrupt) {
		return probe
	}
	return err
}

// lockMigrations keeps other servers from migrating the same schema, which would fail at what is already there.
func (j *Journal) lockMigrations(ctx context.Context, db *sql.DB) (unlock func(), err error) {
	if j.dialect != "postgres" {
		return func() {}, nil
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	const key = "hashtextextended(current_schema() || ' cloudbus migrations', 0)"
	for _, text := range []string{"SET lock_timeout = 0", "SELECT pg_advisory_lock(" + key + ")"} {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return func() { // the session ends, and its lock with it
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		_ = conn.Close()
	}, nil
}
