package eventlog

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// Query selects events of the log; zero fields don't filter.
type Query struct {
	Kind          string    `json:"kind"`
	ResourceID    string    `json:"resource"`
	Tenant        string    `json:"tenant"`
	Actor         string    `json:"actor"`
	Type          string    `json:"type"`   // pattern, as bus.Type: vm.>, *.state.running
	Levels        []string  `json:"levels"` // one of these
	Since         time.Time `json:"since,omitzero"`
	Until         time.Time `json:"until,omitzero"` // of Time: at or after Since, before Until
	FirstSeq      uint64    `json:"first_seq"`
	LastSeq       uint64    `json:"last_seq"` // both inclusive
	CorrelationID string    `json:"correlation"`
	Text          string    `json:"text"`     // in the data: words, all of which must be there, "a phrase", prefix*
	Archived      string    `json:"archived"` // Unarchived, Archived or All. Defaults to Unarchived.

	Order  string `json:"-"` // Newest or Oldest first. Defaults to Newest.
	After  string `json:"-"` // Page.Next of a page: the one that comes after it
	Before string `json:"-"` // Page.Previous of a page: the one that comes before it
	Limit  int    `json:"-"` // Defaults to 100; at most 1,000.
}

// Which events a query is about.
const (
	Unarchived = "false"
	Archived   = "true"
	All        = "all"
)

// Orders.
const (
	Newest = "newest"
	Oldest = "oldest"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// filter is a query, checked and compiled.
type filter struct {
	Query
	pattern bus.Pattern
	search  search
	from    int64 // of the times, inclusive
	until   int64 // exclusive
	timed   bool
	effort  int             // 0: the usual one
	id      string          // of the one event
	chain   string          // a correlation id, or the ID of the event that began it
	types   map[string]bool // instead of a pattern: these
}

// newFilter is of a query that is in order, without its times, pattern and text.
func newFilter(q Query) *filter {
	return &filter{Query: q, from: math.MinInt64, until: math.MaxInt64}
}

// compile returns what is wrong with a query as a *QueryError.
func (q Query) compile() (*filter, error) {
	for _, choice := range []struct {
		field string
		value *string
		known []string
	}{{"order", &q.Order, []string{Newest, Oldest}}, {"archived", &q.Archived, []string{Unarchived, Archived, All}}} {
		if *choice.value == "" {
			*choice.value = choice.known[0]
		}
		if !slices.Contains(choice.known, *choice.value) {
			return nil, &QueryError{choice.field, *choice.value, "is unknown", choice.known}
		}
	}
	if q.Limit < 0 || q.Limit > maxLimit {
		return nil, &QueryError{Field: "limit", Value: strconv.Itoa(q.Limit), Reason: fmt.Sprintf("is not in 1 to %d", maxLimit)}
	}
	if q.Limit == 0 {
		q.Limit = defaultLimit
	}
	f := newFilter(q)
	for _, check := range []func() error{f.checkTexts, f.checkLevels, f.checkSeqs, f.compileType, f.compileTimes, f.compileText} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *filter) checkTexts() error {
	for _, text := range []struct{ field, value string }{
		{"kind", f.Kind}, {"resource", f.ResourceID}, {"tenant", f.Tenant}, {"actor", f.Actor}, {"correlation", f.CorrelationID},
	} {
		if fault := bus.TextFault(text.value); fault != "" {
			return &QueryError{Field: text.field, Value: text.value, Reason: fault}
		}
	}
	return nil
}

func (f *filter) checkLevels() error {
	for _, level := range f.Levels {
		if !slices.Contains(Levels(), level) {
			return &QueryError{"level", level, "is unknown", Levels()}
		}
	}
	return nil
}

func (f *filter) checkSeqs() error {
	for _, seq := range []struct {
		field string
		value uint64
	}{{"first_seq", f.FirstSeq}, {"last_seq", f.LastSeq}} {
		if seq.value > math.MaxInt64 {
			return &QueryError{Field: seq.field, Value: strconv.FormatUint(seq.value, 10), Reason: fmt.Sprintf("is more than %d, the highest number there can be", math.MaxInt64)}
		}
	}
	if f.LastSeq != 0 && f.LastSeq < f.FirstSeq {
		return &QueryError{Field: "last_seq", Value: strconv.FormatUint(f.LastSeq, 10), Reason: fmt.Sprintf("is below first_seq %d", f.FirstSeq)}
	}
	return nil
}

func (f *filter) compileType() (err error) {
	if f.Type == "" {
		return nil
	}
	if f.pattern, err = bus.ParsePattern(f.Type); err != nil {
		return &QueryError{Field: "type", Value: f.Type, Reason: "is no pattern of event types: " + err.Error()}
	}
	return nil
}

func (f *filter) compileTimes() error {
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until) {
		return &QueryError{Field: "until", Value: f.Until.Format(time.RFC3339Nano), Reason: "is not after since " + f.Since.Format(time.RFC3339Nano)}
	}
	for _, at := range []struct {
		field string
		value time.Time
		into  *int64
	}{{"since", f.Since, &f.from}, {"until", f.Until, &f.until}} {
		if at.value.IsZero() {
			continue
		}
		ns, err := journal.Nanoseconds(at.value)
		if err != nil {
			return &QueryError{Field: at.field, Value: at.value.Format(time.RFC3339Nano), Reason: "is out of range (years 1678 to 2261 aren't)"}
		}
		*at.into, f.timed = ns, true
	}
	return nil
}

func (f *filter) compileText() (err error) {
	if f.Text != "" {
		f.search, err = parseText(f.Text)
	}
	return err
}

// narrows reports whether anything but the defaults is asked for.
func (f *filter) narrows() bool {
	return f.Kind+f.ResourceID+f.Tenant+f.Actor+f.Type+f.CorrelationID+f.Text != "" || len(f.Levels) > 0 || f.timed || f.FirstSeq != 0 || f.LastSeq != 0
}

// match reports whether an event is selected. It asks for all that is in the query, whatever the index has said.
func (f *filter) match(e *Event) bool {
	at, err := journal.Nanoseconds(e.Time)
	switch {
	case err != nil:
		return false
	case f.Archived != All && (f.Archived == Archived) == e.ArchivedAt.IsZero():
		return false
	case !same(f.Kind, e.Kind), !same(f.ResourceID, e.ResourceID), !same(f.Tenant, e.Tenant), !same(f.Actor, e.Actor), !same(f.CorrelationID, e.CorrelationID):
		return false
	case len(f.Levels) > 0 && !slices.Contains(f.Levels, e.Level):
		return false
	case f.Type != "" && !f.pattern.Match(e.Type), f.types != nil && !f.types[e.Type]:
		return false
	case f.timed && (at < f.from || at >= f.until):
		return false
	case e.Seq < f.FirstSeq || f.LastSeq != 0 && e.Seq > f.LastSeq:
		return false
	case f.id != "" && e.ID.String() != f.id:
		return false
	case f.chain != "" && e.CorrelationID != f.chain && e.ID.String() != f.chain:
		return false
	}
	return f.search.match(e.Data)
}

func same(wanted, got string) bool { return wanted == "" || wanted == got }

// wildcard is the place of the first token of a pattern that isn't a name; -1: all are.
func wildcard(pattern string) int { return strings.IndexAny(pattern, "*>") }
