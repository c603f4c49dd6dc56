package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// openStore opens the database of a trial, whichever it is.
func openStore(_ context.Context, o orders, log *slog.Logger) (*gormstore.Store, error) {
	file := databaseFile(o.Dir)
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return nil, err
	}
	return sqlite.Open(file, sqlite.Options{Logger: log})
}
