package eventlog

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/plugins"
)

// parseQuery reads the filters of a request, and the other parameters that it may have.
func parseQuery(r *http.Request, also ...string) (q Query, err error) {
	values, err := plugins.Params(r, append([]string{
		"kind", "resource", "tenant", "actor", "type", "level", "since", "until", "first_seq", "last_seq", "correlation", "text", "archived", "order",
	}, also...)...)
	if err != nil {
		return q, err
	}
	q = Query{
		Kind: values.Get("kind"), ResourceID: values.Get("resource"), Tenant: values.Get("tenant"), Actor: values.Get("actor"), Type: values.Get("type"),
		CorrelationID: values.Get("correlation"), Text: values.Get("text"), Archived: values.Get("archived"),
		Order: values.Get("order"), After: values.Get("after"), Before: values.Get("before"),
	}
	if levels := values.Get("level"); levels != "" {
		q.Levels = strings.Split(levels, ",")
	}
	if q.Since, err = parseTime(values, "since"); err != nil {
		return q, err
	}
	if q.Until, err = parseTime(values, "until"); err != nil {
		return q, err
	}
	if q.FirstSeq, err = parseSeq(values, "first_seq"); err != nil {
		return q, err
	}
	if q.LastSeq, err = parseSeq(values, "last_seq"); err != nil {
		return q, err
	}
	q.Limit, err = parseLimit(values, maxLimit)
	return q, err
}

func parseTime(values url.Values, name string) (time.Time, error) {
	value := values.Get(name)
	if value == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, value)
	if err != nil || t.IsZero() { // the zero time doesn't filter
		return time.Time{}, &QueryError{Field: name, Value: value, Reason: "is no RFC 3339 time such as 2026-05-01T00:00:00Z"}
	}
	return t, nil
}

func parseSeq(values url.Values, name string) (uint64, error) {
	value := values.Get(name)
	if value == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil || n == 0 {
		return 0, &QueryError{Field: name, Value: value, Reason: "is no number of an event, from 1"}
	}
	return n, nil
}

func parseLimit(values url.Values, most int) (int, error) {
	value := values.Get("limit")
	if value == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > most {
		return 0, &QueryError{Field: "limit", Value: value, Reason: fmt.Sprintf("is not in 1 to %d", most)}
	}
	return n, nil
}
