package main

import (
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// onPostgres reports whether -data is the DSN of a database, and not a folder.
func (c *config) onPostgres() bool {
	return strings.HasPrefix(c.data, "postgres://") || strings.HasPrefix(c.data, "postgresql://")
}

// place is where the data is, for people: without a password.
func (c *config) place() string {
	if c.onPostgres() {
		if u, err := url.Parse(c.data); err == nil {
			return u.Redacted()
		}
		return "PostgreSQL"
	}
	if abs, err := filepath.Abs(c.data); err == nil {
		return abs
	}
	return c.data
}

// openStore opens resources and their journal: in one file, which nobody else may have open, or in a database that several servers share.
func openStore(c config, log *slog.Logger) (*gormstore.Store, error) {
	retention := journal.Retention{Age: c.retain}
	if c.onPostgres() {
		return postgres.Open(c.data, postgres.Options{Logger: log, Retention: retention})
	}
	if err := os.MkdirAll(c.data, 0o750); err != nil {
		return nil, err
	}
	return sqlite.Open(filepath.Join(c.data, "cloudbus.db"), sqlite.Options{Logger: log, Retention: retention})
}
