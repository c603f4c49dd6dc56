package gormstore

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"gorm.io/gorm/schema"
)

func init() { schema.RegisterSerializer("unixnano", UnixNano{}) }

// UnixNano is the gorm serializer "unixnano": a time.Time as nanoseconds since 1970 in an integer column, in UTC; the zero time is 0.
// Times outside of the years 1678 to 2261 are an error.
type UnixNano struct{}

// Scan implements schema.SerializerInterface.
func (UnixNano) Scan(ctx context.Context, field *schema.Field, dst reflect.Value, dbValue any) error {
	switch v := dbValue.(type) {
	case nil:
		field.ReflectValueOf(ctx, dst).Set(reflect.ValueOf(time.Time{}))
	case int64:
		field.ReflectValueOf(ctx, dst).Set(reflect.ValueOf(journal.TimeOf(v)))
	default:
		return fmt.Errorf("gormstore: column %s holds %T, want an integer (nanoseconds)", field.DBName, dbValue)
	}
	return nil
}

// Value implements schema.SerializerValuerInterface.
func (UnixNano) Value(_ context.Context, field *schema.Field, _ reflect.Value, value any) (any, error) {
	t, ok := value.(time.Time)
	if !ok {
		return nil, fmt.Errorf("gormstore: field %s is a %T, serializer unixnano wants a time.Time", field.Name, value)
	}
	return journal.Nanoseconds(t)
}

var _ schema.SerializerInterface = UnixNano{}
