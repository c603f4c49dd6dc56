package bus

import (
	"encoding/json"
	"fmt"
	"math"
	"unicode/utf8"
)

// Check reports what keeps r from being recorded as it is: a header that Prepare would refuse, no ID, source or time, a schema below 1, a version above 2^63-1,
// or data that aren't JSON in UTF-8. Journals that take records of others ask it. Errors: *HeaderError, *PayloadError.
func (r *Record) Check() error {
	if err := checkType(r.Type); err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return err
	}
	if err := r.checkTime(); err != nil {
		return err
	}
	switch {
	case r.ID.IsZero():
		return &HeaderError{Field: "ID", Reason: "empty"}
	case r.Source == "":
		return &HeaderError{Field: "Source", Reason: "empty"}
	case r.Time.IsZero():
		return &HeaderError{Field: "Time", Reason: "empty"}
	case r.Schema < 1 || r.Schema > math.MaxInt32:
		return &HeaderError{Field: "Schema", Value: fmt.Sprint(r.Schema), Reason: "must be 1 to 2147483647"}
	case r.Version > math.MaxInt64:
		return &HeaderError{Field: "Version", Value: fmt.Sprint(r.Version), Reason: "must be below 2^63"}
	case !utf8.Valid(r.Data) || !json.Valid(r.Data):
		return &PayloadError{Reason: "the data of a record must be JSON in UTF-8"}
	}
	return nil
}
