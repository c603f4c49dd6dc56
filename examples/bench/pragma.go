package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"net/url"

	"github.com/mattn/go-sqlite3"
)

// pragmas of resources/gormstore/sqlite; openDatabase fails if they aren't its own.
const pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; " +
	"PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON"

// openDatabase opens a file for a peer: one connection, with the settings of ours.
func openDatabase(path string, want map[string]string) (*sql.DB, error) {
	params := url.Values{"mode": {"rwc"}, "_txlock": {"immediate"}, "_busy_timeout": {"2000"}, "_stmt_cache_size": {"64"}}
	db := sql.OpenDB(connector{(&url.URL{Scheme: "file", Path: path, RawQuery: params.Encode()}).String()})
	db.SetMaxOpenConns(1)
	have, err := readPragmas(func(query string, value *string) error { return db.QueryRow(query).Scan(value) })
	if err == nil && !maps.Equal(have, want) {
		err = fmt.Errorf("the peers' database has %v, ours has %v: that is no comparison", have, want)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func readPragmas(read func(query string, value *string) error) (map[string]string, error) {
	values := map[string]string{}
	for _, name := range []string{
		"journal_mode", "synchronous", "wal_autocheckpoint", "journal_size_limit", "cache_size", "temp_store", "foreign_keys", "page_size", "mmap_size",
	} {
		var value string
		if err := read("PRAGMA "+name, &value); err != nil {
			return nil, fmt.Errorf("PRAGMA %s: %w", name, err)
		}
		values[name] = value
	}
	return values, nil
}

type connector struct{ dsn string }

var sqliteDriver = &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
	_, err := c.Exec(pragmas, nil)
	return err
}}

func (c connector) Connect(context.Context) (driver.Conn, error) { return sqliteDriver.Open(c.dsn) }
func (connector) Driver() driver.Driver                          { return sqliteDriver }
