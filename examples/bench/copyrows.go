package main

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// copyRows repeats the first VM and its event until there are n, under other ids.
func copyRows(db *sql.DB, n int) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	vms, err := repeat(tx, "vms", []string{"id"})
	if err != nil {
		return err
	}
	events, err := repeat(tx, "journal", []string{"seq", "id", "resource_id", "correlation_id"})
	if err != nil {
		return err
	}
	for i := 1; i < n; i++ {
		id := bus.NewID(time.Now()).String()
		if _, err := vms.Exec(idleID(i)); err != nil {
			return err
		}
		if _, err := events.Exec(i+1, id, idleID(i), id); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(raiseHead, n); err != nil {
		return err
	}
	return tx.Commit()
}

// repeat prepares a statement that copies a table's first row, with other values in some columns.
func repeat(tx *sql.Tx, table string, others []string) (*sql.Stmt, error) {
	rows, err := tx.Query("SELECT * FROM " + table + " WHERE 1 = 0")
	if err != nil {
		return nil, err
	}
	names, err := rows.Columns()
	if err := errors.Join(err, rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	var same []string
	for _, name := range names {
		if !slices.Contains(others, name) {
			same = append(same, name)
		}
	}
	return tx.Prepare(fmt.Sprintf("INSERT INTO %[1]s (%[2]s, %[3]s) SELECT %[4]s, %[3]s FROM %[1]s WHERE rowid = 1",
		table, strings.Join(others, ", "), strings.Join(same, ", "), strings.TrimSuffix(strings.Repeat("?, ", len(others)), ", ")))
}
