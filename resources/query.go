package resources

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

// Query selects resources of a kind. The zero value lists all, in order of ID. All conditions that are given must hold.
type Query struct {
	Tenant string      // "" lists all tenants'
	States []fsm.State // any of them
	// Where: the field (JSON name) equals the value, or one of a slice of at most 1,000 values. Values may be strings, as in a URL, whatever the
	// field's type: times in RFC 3339, ids in their text form.
	Where map[string]any
	After string // keyset: IDs after this one
	Limit int    // Defaults to 100; at most 1,000
}

const (
	defaultLimit = 100
	maxLimit     = 1000
	maxValues    = 1000 // of one condition: databases bound the parameters of a statement
)

// check returns the query in the form stores get, and whether nothing can match it.
func (i *Info) check(q Query) (checked Query, none bool, err error) {
	switch {
	case q.Limit == 0:
		q.Limit = defaultLimit
	case q.Limit < 0 || q.Limit > maxLimit:
		return q, false, i.invalid("limit", "%d is not from 1 to %d", q.Limit, maxLimit)
	}
	if len(q.States) > maxValues {
		return q, false, i.invalid("state", "has %d values; at most %d are allowed", len(q.States), maxValues)
	}
	for _, s := range q.States {
		if err := i.checkState(s); err != nil {
			return q, false, err
		}
	}
	where := make(map[string]any, len(q.Where))
	for name, value := range q.Where {
		f, ok := i.Field(name)
		if !ok {
			return q, false, &UnknownError{What: "field of " + i.Name, Name: name, Known: i.fieldNames()}
		}
		v, err := i.values(f, value)
		if err != nil {
			return q, false, err
		}
		if list, ok := v.([]any); ok && len(list) == 0 {
			none = true
		}
		where[name] = v
	}
	q.Where = where
	return q, none, nil
}

func (i *Info) checkState(s fsm.State) error {
	if i.Machine.Has(s) {
		return nil
	}
	states := i.Machine.States()
	known := make([]string, len(states))
	for n, s := range states {
		known[n] = string(s)
	}
	return &UnknownError{What: "state of " + i.Name, Name: string(s), Known: known}
}

func (i *Info) fieldNames() []string {
	names := make([]string, len(i.Fields))
	for n, f := range i.Fields {
		names[n] = f.Name
	}
	return names
}

// Values returns what a condition of Query.Where on the field (JSON name) may equal, each of the field's type: the value, or each of a slice
// of them. Errors: *UnknownError for a field that isn't there, *InvalidError for a value that it can't have.
func (i *Info) Values(field string, value any) ([]any, error) {
	f, ok := i.Field(field)
	if !ok {
		return nil, &UnknownError{What: "field of " + i.Name, Name: field, Known: i.fieldNames()}
	}
	v, err := i.values(f, value)
	if err != nil {
		return nil, err
	}
	if list, ok := v.([]any); ok {
		return list, nil
	}
	return []any{v}, nil
}

// values converts one value, or each of a slice of them, to the field's type.
func (i *Info) values(f Field, value any) (any, error) {
	v := reflect.ValueOf(value)
	if !v.IsValid() || v.Kind() != reflect.Slice {
		return i.value(f, value)
	}
	if v.Len() > maxValues {
		return nil, i.invalid(f.Name, "has %d values; at most %d are allowed", v.Len(), maxValues)
	}
	list := make([]any, v.Len())
	for n := range list {
		one, err := i.value(f, v.Index(n).Interface())
		if err != nil {
			return nil, err
		}
		list[n] = one
	}
	return list, nil
}

func (i *Info) value(f Field, value any) (any, error) {
	v, ok := convert(value, f.Type)
	if !ok {
		return nil, i.invalid(f.Name, "wants a %v, not %s", f.Type, describe(value))
	}
	switch v := v.(type) {
	case fsm.State:
		if f.Name == "state" || f.Name == "origin" && v != "" {
			return v, i.checkState(v)
		}
	case time.Time:
		if year := v.Year(); !v.IsZero() && (year < firstYear || year > lastYear) {
			return nil, i.invalid(f.Name, "%s is not in the years %d to %d, which stores can hold", v.Format(time.RFC3339), firstYear, lastYear)
		}
	}
	return v, nil
}

// Years in which every moment has a number of nanoseconds that an int64 holds. The zero time is stored as none.
const firstYear, lastYear = 1678, 2261

func describe(value any) string {
	if text, ok := value.(string); ok {
		return fmt.Sprintf("%.100q", text)
	}
	if number, ok := literal(reflect.ValueOf(value)); ok {
		return number
	}
	return fmt.Sprintf("a %T", value)
}

// convert gives value the type to, if it can be done without losing any of it.
func convert(value any, to reflect.Type) (any, bool) {
	v := reflect.ValueOf(value)
	if !v.IsValid() {
		return nil, false
	}
	switch {
	case to == timeType:
		return convertTime(value)
	case v.Type() == to:
		return value, true
	case v.Kind() == reflect.String && to.Kind() == reflect.String:
		return v.Convert(to).Interface(), true
	case v.Kind() == reflect.String:
		return parse(v.String(), to)
	}
	number, isNumber := literal(v)
	if !isNumber || !numeric(to) {
		return nil, false
	}
	return parse(number, to)
}

func convertTime(value any) (any, bool) {
	switch t := value.(type) {
	case time.Time:
		return t.UTC().Round(0), true
	case string:
		at, err := time.Parse(time.RFC3339Nano, t)
		return at.UTC(), err == nil
	}
	return nil, false
}

// parse reads the text form of a value of type to.
func parse(s string, to reflect.Type) (any, bool) {
	if to == idType {
		id, err := bus.ParseID(s)
		return id, err == nil
	}
	v := reflect.New(to).Elem()
	switch {
	case to.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(s)
		v.SetBool(b)
		return v.Interface(), err == nil
	case v.CanInt():
		n, err := strconv.ParseInt(s, 10, to.Bits())
		v.SetInt(n)
		return v.Interface(), err == nil
	case v.CanUint():
		n, err := strconv.ParseUint(s, 10, to.Bits())
		v.SetUint(n)
		return v.Interface(), err == nil
	case v.CanFloat():
		n, err := strconv.ParseFloat(s, to.Bits())
		v.SetFloat(n)
		return v.Interface(), err == nil
	}
	return nil, false
}

// literal writes a number the way parse reads it: JSON's float64 of 4 is an int64's 4.
func literal(v reflect.Value) (string, bool) {
	switch {
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), true
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10), true
	case v.CanFloat() && v.Float() == math.Trunc(v.Float()):
		return strconv.FormatFloat(v.Float(), 'f', 0, 64), true // all digits; the shortest form replaces those beyond 2^53 by zeros
	case v.CanFloat():
		return strconv.FormatFloat(v.Float(), 'f', -1, v.Type().Bits()), true
	}
	return "", false
}

func numeric(t reflect.Type) bool {
	v := reflect.Zero(t)
	return v.CanInt() || v.CanUint() || v.CanFloat()
}
