package main

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// copyRows repeats the first VM and its event under other ids until there are so many; each VM has about as many events as the others.
// Nobody else has the file, and if this fails it is thrown away: so nothing is synced, and indexes are made last.
func copyRows(path string, vms, events int) (err error) {
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, pragma := range []string{"journal_mode = OFF", "synchronous = OFF", "cache_size = -262144", "temp_store = MEMORY"} {
		if _, err := db.Exec("PRAGMA " + pragma); err != nil {
			return err
		}
	}
	remake, err := dropIndexes(db)
	if err != nil {
		return err
	}
	const id = "printf('01900000-0000-7000-8000-%012x', i)"
	of := fmt.Sprintf("printf('vm-%%08d', i %% %d)", vms)
	return errors.Join(
		repeat(db, "vms", vms, map[string]string{"id": "printf('vm-%08d', i)"}),
		repeat(db, "journal", events, map[string]string{"seq": "i + 1", "id": id, "resource_id": of, "correlation_id": id}),
		run(db, append(remake, fmt.Sprintf("UPDATE journal_head SET seq = %d", events), "PRAGMA journal_mode = WAL")...),
	)
}

// repeat copies a table's first row until there are n. In some columns they differ by their number i, from 1.
func repeat(db *sql.DB, table string, n int, others map[string]string) error {
	rows, err := db.Query("SELECT * FROM " + table + " WHERE 1 = 0")
	if err != nil {
		return err
	}
	names, err := rows.Columns()
	if err := errors.Join(err, rows.Err(), rows.Close()); err != nil {
		return err
	}
	values := slices.Clone(names)
	for i, name := range names {
		if other, ok := others[name]; ok {
			values[i] = other
		}
	}
	return run(db, fmt.Sprintf("WITH RECURSIVE number(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < %d) "+
		"INSERT INTO %s (%s) SELECT %s FROM number, (SELECT * FROM %[2]s WHERE rowid = 1) WHERE i < %[1]d",
		n, table, strings.Join(names, ", "), strings.Join(values, ", ")))
}

// dropIndexes returns the statements that make them again.
func dropIndexes(db *sql.DB) (remake []string, err error) {
	rows, err := db.Query("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('vms', 'journal')")
	if err != nil {
		return nil, err
	}
	var drop []string
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		drop, remake = append(drop, "DROP INDEX "+name), append(remake, text)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	return remake, run(db, drop...)
}

func run(db *sql.DB, statements ...string) error {
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}
