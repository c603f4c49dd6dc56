package gormstore

import (
	"database/sql"
	"errors"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// database/sql turns a number of another type than int64 into text and back; scanners take it as it is, and leave to sql what isn't one.

type intScanner int

func (n *intScanner) Scan(v any) error {
	if i, ok := v.(int64); ok && int64(int(i)) == i {
		*n = intScanner(i)
		return nil
	}
	return convert((*int)(n), v)
}

type naturalScanner uint64

func (n *naturalScanner) Scan(v any) error {
	if i, ok := v.(int64); ok && i >= 0 {
		*n = naturalScanner(i)
		return nil
	}
	return convert((*uint64)(n), v)
}

// nanoScanner scans nanoseconds into a time; NULL is the zero time.
type nanoScanner time.Time

func (n *nanoScanner) Scan(v any) error {
	ns, ok := v.(int64)
	if !ok {
		var other sql.NullInt64
		if err := other.Scan(v); err != nil {
			return err
		}
		ns = other.Int64
	}
	*n = nanoScanner(journal.TimeOf(ns))
	return nil
}

func convert[T any](dest *T, v any) error {
	var n sql.Null[T]
	if err := n.Scan(v); err != nil {
		return err
	}
	if !n.Valid {
		return errors.New("a number can't be NULL")
	}
	*dest = n.V
	return nil
}
