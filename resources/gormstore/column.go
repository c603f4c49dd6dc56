package gormstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"reflect"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"gorm.io/gorm/schema"
)

// column moves one field of a model to and from the database. Plain fields go straight, all others through gorm.
type column struct {
	field *schema.Field
	kind  columnKind
}

type columnKind int

const (
	viaGorm columnKind = iota
	plain              // the field itself is what the driver takes and gives
	instant            // a time.Time as nanoseconds
)

var (
	timeType    = reflect.TypeFor[time.Time]()
	scannerType = reflect.TypeFor[sql.Scanner]()
	valuerType  = reflect.TypeFor[driver.Valuer]()
)

func columnOf(f *schema.Field) column {
	return column{field: f, kind: kindOf(f)}
}

func kindOf(f *schema.Field) columnKind {
	for _, i := range f.StructField.Index {
		if i < 0 {
			return viaGorm // behind a pointer
		}
	}
	if _, ok := f.Serializer.(UnixNano); ok && f.FieldType == timeType {
		return instant
	}
	if f.Serializer != nil {
		return viaGorm
	}
	if f.FieldType.Implements(valuerType) && reflect.PointerTo(f.FieldType).Implements(scannerType) {
		return plain
	}
	if f.FieldType.Implements(valuerType) || reflect.PointerTo(f.FieldType).Implements(scannerType) {
		return viaGorm
	}
	switch f.FieldType.Kind() {
	case reflect.String, reflect.Bool, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return plain
	}
	return viaGorm
}

// value is what a statement binds for the field of row, a struct.
func (c column) value(ctx context.Context, row reflect.Value) (any, error) {
	switch c.kind {
	case plain:
		return row.FieldByIndex(c.field.StructField.Index).Interface(), nil
	case instant:
		return journal.Nanoseconds(row.FieldByIndex(c.field.StructField.Index).Interface().(time.Time))
	}
	v, _ := c.field.ValueOf(ctx, row)
	return v, nil
}

// slot is a destination for Rows.Scan, and what remains to be done when it has been filled.
func (c column) slot(ctx context.Context, row reflect.Value) (dest any, done func() error) {
	switch c.kind {
	case plain:
		return row.FieldByIndex(c.field.StructField.Index).Addr().Interface(), nil
	case instant:
		at := row.FieldByIndex(c.field.StructField.Index).Addr().Interface().(*time.Time)
		return (*nanoScanner)(at), nil
	}
	v := c.field.NewValuePool.Get()
	return v, func() error {
		defer c.field.NewValuePool.Put(v)
		return c.field.Set(ctx, row, v)
	}
}

// nanoScanner scans nanoseconds into a time.
type nanoScanner time.Time

func (n *nanoScanner) Scan(v any) error {
	var ns sql.NullInt64
	if err := ns.Scan(v); err != nil {
		return err
	}
	*n = nanoScanner(journal.TimeOf(ns.Int64))
	return nil
}
