package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/jackc/pgx/v5/pgconn"
)

// classify says in the journal's words what PostgreSQL, or the way to it, complains about.
// What means that the connection is gone is journal.ErrUnavailable, and driver.ErrBadConn too.
func classify(err error) error {
	kind := kindOf(err)
	if kind == nil || errors.Is(err, kind) {
		return err
	}
	if (errors.Is(kind, journal.ErrUnavailable) || isStalePlan(err)) && !errors.Is(err, driver.ErrBadConn) {
		err = lostConnection{err}
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// isStalePlan: a statement was prepared for a table that has been changed since; a new connection prepares it anew.
func isStalePlan(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "0A000" && strings.Contains(e.Message, "cached plan")
}

func kindOf(err error) error {
	if isStalePlan(err) {
		return journal.ErrRetry
	}
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return kindOfCode(e)
	}
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &connect):
		return journal.ErrUnavailable
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded): // who asked has stopped waiting
		return nil
	case errors.As(err, &network), errors.Is(err, driver.ErrBadConn), errors.Is(err, net.ErrClosed),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(err.Error(), "conn closed"):
		return journal.ErrUnavailable
	}
	return nil
}

// kindOfCode goes by the codes of PostgreSQL's manual, appendix A.
func kindOfCode(e *pgconn.PgError) error {
	switch e.Code {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return journal.ErrRetry
	case "55P03", "55006": // lock_not_available, object_in_use
		return journal.ErrBusy
	case "53100", "53400": // disk_full, configuration_limit_exceeded (temp_file_limit)
		return journal.ErrFull
	case "25006", "42501": // read_only_sql_transaction, insufficient_privilege
		return journal.ErrReadOnly
	case "XX001", "XX002": // data_corrupted, index_corrupted
		return journal.ErrCorrupt
	case "22021", "22P05": // character_not_in_repertoire, untranslatable_character
		return journal.ErrText
	case "53300": // too_many_connections
		return journal.ErrUnavailable
	}
	class := e.Code[:min(2, len(e.Code))]
	switch {
	case class == "28" || class == "3D": // who connects isn't let in, or to nowhere
		return nil
	case class == "08" || class == "57" && e.Code != "57014" || e.Severity == "FATAL" || e.Severity == "PANIC":
		return journal.ErrUnavailable
	}
	return nil
}

// lostConnection is an error after which the connection isn't used any more: database/sql and the journal know it by driver.ErrBadConn.
type lostConnection struct{ error }

func (l lostConnection) Unwrap() []error { return []error{l.error, driver.ErrBadConn} }
