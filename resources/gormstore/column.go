package gormstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"math"
	"reflect"
	"time"
	"unsafe"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"gorm.io/gorm/schema"
)

// column moves one field of a model to and from the database. Common types go straight from memory to the driver and back; all others through gorm.
type column struct {
	field  *schema.Field
	kind   columnKind
	offset uintptr // of the field in the row; not for viaGorm
}

type columnKind int

const (
	viaGorm  columnKind = iota
	plain               // the field itself is what the driver takes and gives
	instant             // a time.Time as nanoseconds
	identity            // a bus.ID as text
	text                // a string
	whole               // an int
	whole64             // an int64
	natural             // a uint64
	truth               // a bool
)

var (
	timeType    = reflect.TypeFor[time.Time]()
	scannerType = reflect.TypeFor[sql.Scanner]()
	valuerType  = reflect.TypeFor[driver.Valuer]()
	idType      = reflect.TypeFor[bus.ID]()
)

func columnOf(f *schema.Field) column {
	c := column{field: f, kind: kindOf(f)}
	if c.kind == viaGorm {
		return c
	}
	typ := f.Schema.ModelType
	for _, i := range f.StructField.Index {
		if typ.Kind() != reflect.Struct {
			return column{field: f} // behind a pointer
		}
		part := typ.Field(i)
		c.offset += part.Offset
		typ = part.Type
	}
	return c
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
	if f.FieldType == idType {
		return identity
	}
	if f.FieldType.Implements(valuerType) && reflect.PointerTo(f.FieldType).Implements(scannerType) {
		return plain
	}
	if f.FieldType.Implements(valuerType) || reflect.PointerTo(f.FieldType).Implements(scannerType) {
		return viaGorm
	}
	switch f.FieldType.Kind() {
	case reflect.String:
		return text
	case reflect.Int:
		return whole
	case reflect.Int64:
		return whole64
	case reflect.Uint64:
		return natural
	case reflect.Bool:
		return truth
	case reflect.Float32, reflect.Float64, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return plain
	}
	return viaGorm
}

// value is what a statement binds for the field of row, a struct.
func (c column) value(ctx context.Context, row reflect.Value) (any, error) {
	if c.kind == viaGorm {
		v, _ := c.field.ValueOf(ctx, row)
		return v, nil
	}
	p := c.at(row)
	switch c.kind {
	case instant:
		return journal.Nanoseconds(*(*time.Time)(p))
	case identity:
		return (*bus.ID)(p).String(), nil
	case text:
		return *(*string)(p), nil
	case whole:
		return int64(*(*int)(p)), nil
	case whole64:
		return *(*int64)(p), nil
	case natural:
		if n := *(*uint64)(p); n <= math.MaxInt64 {
			return int64(n), nil
		}
	case truth:
		return *(*bool)(p), nil
	}
	return reflect.NewAt(c.field.FieldType, p).Elem().Interface(), nil
}

// at is where the field lies in row, which is addressable.
func (c column) at(row reflect.Value) unsafe.Pointer {
	return unsafe.Add(row.Addr().UnsafePointer(), c.offset)
}

// slot is a destination for Rows.Scan, and what remains to be done when it has been filled.
func (c column) slot(ctx context.Context, row reflect.Value) (dest any, done func() error) {
	if c.kind == viaGorm {
		v := c.field.NewValuePool.Get()
		return v, func() error {
			defer c.field.NewValuePool.Put(v)
			return c.field.Set(ctx, row, v)
		}
	}
	p := c.at(row)
	switch c.kind {
	case instant:
		return (*nanoScanner)(p), nil
	case identity:
		return (*bus.ID)(p), nil
	case text:
		return (*string)(p), nil
	case whole:
		return (*intScanner)(p), nil
	case whole64:
		return (*int64)(p), nil
	case natural:
		return (*naturalScanner)(p), nil
	case truth:
		return (*bool)(p), nil
	}
	return reflect.NewAt(c.field.FieldType, p).Interface(), nil
}
