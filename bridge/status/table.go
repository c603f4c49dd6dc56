package status

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// Row says what one word of a platform means.
type Row struct {
	Raw    string // As the platform writes it: "poweredOn"
	Status Status
	Note   string // When it is that, for people
}

// TableOptions of a mapping table. The zero value knows its rows alone.
type TableOptions struct {
	// Closest is what the table's author takes words for that the contract doesn't list: the closest active state, an error if the function is impaired. Defaults to none.
	Closest map[string]Status
	// Else is what every other word is taken for. Defaults to UNKNOWN if the service type has it, else to its first faulty status, else to its first one.
	Else Status
	// Fold writes a word as the rows write it, before it is looked up. Defaults to leaving it as it is.
	Fold func(raw string) string
	// Logger hears of each word that isn't in a row, once. Defaults to slog.Default().
	Logger *slog.Logger
}

// Table maps the words of a platform to the statuses of a service type. It may be used concurrently.
type Table struct {
	platform string
	typ      ServiceType
	rows     []Row
	options  TableOptions
	byRaw    map[string]Status

	mu      sync.Mutex
	unknown map[string]*UnknownWord
}

// UnknownWord is a word that a table's rows don't have.
type UnknownWord struct {
	Raw         string    // as it came, at most 256 bytes
	Status      Status    // what it was taken for
	Count       uint64    // how often
	First, Last time.Time // when
}

// maxUnknown is how many words a table lists. Each is logged when it enters the list; those beyond are counted together under one word.
const maxUnknown = 1000

// Beyond is the word under which a table counts what its list has no room for.
const Beyond = "…"

// NewTable makes a table of rows. It refuses two rows for one word, and statuses that the service type doesn't have.
func NewTable(platform string, t ServiceType, rows []Row, o TableOptions) (*Table, error) {
	table := &Table{platform: platform, typ: t, rows: slices.Clone(rows), options: o, byRaw: map[string]Status{}, unknown: map[string]*UnknownWord{}}
	table.options.Closest = maps.Clone(o.Closest)
	if err := t.check(); err != nil {
		return nil, err
	}
	if platform == "" {
		return nil, fmt.Errorf("status: a table of %s needs the name of its platform", t.Name)
	}
	for _, r := range rows {
		if _, twice := table.byRaw[r.Raw]; twice || r.Raw == "" {
			return nil, fmt.Errorf("status: table of %s for %s: %q must have one row, and a word", platform, t.Name, r.Raw)
		}
		table.byRaw[r.Raw] = r.Status
	}
	for raw := range o.Closest {
		if _, row := table.byRaw[raw]; row {
			return nil, fmt.Errorf("status: table of %s for %s: %q has a row and is among the closest", platform, t.Name, raw)
		}
	}
	if o.Else == "" {
		table.options.Else = otherwise(t)
	}
	for _, s := range slices.Concat(slices.Collect(maps.Values(table.byRaw)), slices.Collect(maps.Values(o.Closest)), []Status{table.options.Else}) {
		if !slices.Contains(t.Statuses, s) {
			return nil, fmt.Errorf("status: table of %s for %s: a %s has no status %q", platform, t.Name, t.Name, s)
		}
	}
	return table, nil
}

// MustTable is NewTable for tables that are written down in a program; it panics where NewTable fails.
func MustTable(platform string, t ServiceType, rows []Row, o TableOptions) *Table {
	table, err := NewTable(platform, t, rows, o)
	if err != nil {
		panic(err)
	}
	return table
}

func otherwise(t ServiceType) Status {
	if slices.Contains(t.Statuses, Unknown) {
		return Unknown
	}
	if i := slices.IndexFunc(t.Statuses, Status.Faulty); i >= 0 {
		return t.Statuses[i]
	}
	return t.Statuses[0]
}

// Platform is whose words the table has.
func (t *Table) Platform() string { return t.platform }

// ServiceType is what the table's statuses are of.
func (t *Table) ServiceType() ServiceType { return t.typ }

// Rows returns a copy of the table's rows.
func (t *Table) Rows() []Row { return slices.Clone(t.rows) }

// Map returns what a word of the platform means. false: no row has it; the status is then what the table's author takes such a word for,
// and the word is counted, listed by Unknown, and logged once.
func (t *Table) Map(raw string) (Status, bool) {
	folded := raw
	if t.options.Fold != nil {
		folded = t.options.Fold(raw)
	}
	if s, known := t.byRaw[folded]; known {
		return s, true
	}
	s, close := t.options.Closest[folded]
	if !close {
		s = t.options.Else
	}
	if t.note(clean(raw, maxRaw), s) {
		cmp.Or(t.options.Logger, slog.Default()).Warn("status: a word of a platform isn't in its table", "platform", t.platform, "type", t.typ.Name, "word", clean(raw, maxRaw), "taken_for", s)
	}
	return s, false
}

// note counts a word; true if it is new in the list.
func (t *Table) note(raw string, s Status) bool {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	word := t.unknown[raw]
	if word == nil && len(t.unknown) >= maxUnknown {
		raw, s = Beyond, t.options.Else
		word = t.unknown[raw]
	}
	fresh := word == nil
	if fresh {
		word = &UnknownWord{Raw: raw, First: now}
		t.unknown[raw] = word
	}
	word.Status, word.Last = s, now
	word.Count++
	return fresh
}

// Unknown lists the words that came and aren't in a row, the most frequent first.
func (t *Table) Unknown() []UnknownWord {
	t.mu.Lock()
	defer t.mu.Unlock()
	words := make([]UnknownWord, 0, len(t.unknown))
	for _, w := range t.unknown {
		words = append(words, *w)
	}
	slices.SortFunc(words, func(a, b UnknownWord) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Raw, b.Raw))
	})
	return words
}
