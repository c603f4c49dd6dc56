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
func onPostgres(data string) bool {
	return strings.HasPrefix(data, "postgres://") || strings.HasPrefix(data, "postgresql://")
}

// place is where the data is, for people: without a password.
func place(data string) string {
	if onPostgres(data) {
		if u, err := url.Parse(data); err == nil {
			return u.Redacted()
		}
		return "PostgreSQL"
	}
	if abs, err := filepath.Abs(data); err == nil {
		return abs
	}
	return data
}

// openStore opens resources and their journal: in one file, which nobody else may have open, or in a database that several servers share.
func openStore(c config, log *slog.Logger) (*gormstore.Store, error) {
	retention := journal.Retention{Age: c.retain}
	if onPostgres(c.data) {
		return postgres.Open(c.data, postgres.Options{Logger: log, Retention: retention})
	}
	if err := os.MkdirAll(c.data, 0o750); err != nil {
		return nil, err
	}
	return sqlite.Open(filepath.Join(c.data, "cloudbus.db"), sqlite.Options{Logger: log, Retention: retention})
}
