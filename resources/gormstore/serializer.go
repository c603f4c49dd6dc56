package gormstore

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"time"

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
		field.ReflectValueOf(ctx, dst).Set(reflect.ValueOf(timeOf(v)))
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
	return nanoseconds(t)
}

var (
	minTime = time.Unix(0, math.MinInt64)
	maxTime = time.Unix(0, math.MaxInt64)
)

func nanoseconds(t time.Time) (int64, error) {
	if t.IsZero() {
		return 0, nil
	}
	if t.Before(minTime) || t.After(maxTime) {
		return 0, fmt.Errorf("gormstore: %s can't be stored (years 1678 to 2261 can)", t.Format(time.RFC3339))
	}
	return t.UnixNano(), nil
}

func timeOf(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

var _ schema.SerializerInterface = UnixNano{}
