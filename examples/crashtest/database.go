package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres" // also registers the driver pgx
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// lease is how long a durable name stays with a server that was killed: short, for the next one doesn't live for long either.
const lease = time.Second

// openStore opens the database of a trial, whichever it is.
func openStore(o orders, log *slog.Logger) (*gormstore.Store, error) {
	if o.Postgres != "" {
		return postgres.Open(o.Postgres, postgres.Options{Logger: log, Lease: lease})
	}
	file := databaseFile(o.Dir)
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return nil, err
	}
	return sqlite.Open(file, sqlite.Options{Logger: log})
}

// schema is a trial's own part of a PostgreSQL database.
type schema struct {
	name string
	dsn  string // by which everything is made in it
	db   *sql.DB
}

// createSchema makes one in the database that dsn names.
func createSchema(ctx context.Context, dsn string) (*schema, error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, fmt.Errorf("-postgres: %w", err)
	}
	name := fmt.Sprintf("crashtest_%d_%d", os.Getpid(), time.Now().Unix())
	if _, err := db.ExecContext(ctx, "CREATE SCHEMA "+name); err != nil {
		return nil, errors.Join(fmt.Errorf("-postgres: create schema: %w", err), db.Close())
	}
	return &schema{name: name, dsn: within(dsn, name), db: db}, nil
}

// within returns a DSN by which a session works in a schema.
func within(dsn, name string) string {
	switch {
	case !strings.Contains(dsn, "://"):
		return dsn + " search_path=" + name
	case strings.Contains(dsn, "?"):
		return dsn + "&search_path=" + url.QueryEscape(name)
	}
	return dsn + "?search_path=" + url.QueryEscape(name)
}

// drop removes the schema with all that is in it.
func (s *schema) drop() error {
	_, err := s.db.Exec("DROP SCHEMA " + s.name + " CASCADE")
	return errors.Join(err, s.db.Close())
}

// leave lets it stay.
func (s *schema) leave() error { return s.db.Close() }
