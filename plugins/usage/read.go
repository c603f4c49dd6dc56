package usage

import (
	"database/sql"
	"errors"
	"strings"

	"gorm.io/gorm"
)

// read counts the intervals of a window, one by one.
func (q Query) read(db *gorm.DB, w window, t *tally) error {
	ended, err := endedColumn(db, w)
	if err != nil {
		return err
	}
	statement, args := q.times(w, ended)
	var startedAt, endedAt, closedSeq int64
	k := q.key()
	return each(db, statement, args, k.targets(&startedAt, &endedAt, &closedSeq), func() bool {
		t.meter(t.of(k), startedAt, endedAt, closedSeq == 0)
		return !t.full()
	})
}

// readCorrections counts the corrections of a window.
func (q Query) readCorrections(db *gorm.DB, w window, t *tally) error {
	filter, args := q.filter()
	statement := "SELECT " + strings.Join(append(q.columns(), "from_at", "to_at", "seconds", "nanoseconds"), ", ") +
		" FROM usage_corrections WHERE from_at < ? AND (to_at > ? OR from_at >= ?)" + filter
	args = append([]any{w.to, w.from, w.from}, args...)
	var fromAt, toAt, seconds, nanoseconds int64
	k := q.key()
	return each(db, statement, args, k.targets(&fromAt, &toAt, &seconds, &nanoseconds), func() bool {
		switch g := t.of(k); {
		case fromAt == toAt:
			t.add(g, fromAt, Amount{seconds, nanoseconds})
		case seconds < 0 || nanoseconds < 0:
			t.correct(g, -1, fromAt, toAt)
		default:
			t.correct(g, 1, fromAt, toAt)
		}
		return !t.full()
	})
}

// each scans the rows of a statement into dest, one after the other, until there is no more or do returns false.
func each(db *gorm.DB, statement string, args, dest []any, do func() bool) (err error) {
	rows, err := db.Raw(statement, args...).Rows()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		if !do() {
			return nil
		}
	}
	return rows.Err()
}

// endedColumn says how a statement names the column ended_at: SQLite takes the index on it unless it's written as an expression. Through the index a row costs about three times as
// much as in passing, so it is for windows that leave most of the ledger behind. PostgreSQL knows by itself.
func endedColumn(db *gorm.DB, w window) (string, error) {
	if db.Name() != "sqlite" {
		return "ended_at", nil
	}
	var first, last sql.NullInt64
	err := db.Raw("SELECT (SELECT MIN(ended_at) FROM usage_intervals WHERE ended_at > 0), (SELECT MAX(ended_at) FROM usage_intervals)").Row().Scan(&first, &last)
	if err != nil {
		return "", err
	}
	if float64(last.Int64)-float64(w.from) < (float64(last.Int64)-float64(first.Int64))/4 {
		return "ended_at", nil
	}
	return "+ended_at", nil
}
