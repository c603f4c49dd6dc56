package status

import (
	"strconv"
	"strings"
)

// orderGuard is mark.after in SQL: of the row that is there, and the one that is to take its place.
func orderGuard(table string) string {
	return strings.ReplaceAll(`NOT (old.source = excluded.source AND old.event_id = excluded.event_id) AND CASE
	WHEN old.source = excluded.source AND old.sequence > 0 AND excluded.sequence > 0 AND old.sequence <> excluded.sequence THEN excluded.sequence > old.sequence
	WHEN old.source = excluded.source AND old.sequence > 0 AND excluded.sequence > 0 THEN excluded.stream_seq > old.stream_seq
	WHEN old.observed_at <> excluded.observed_at THEN excluded.observed_at > old.observed_at
	ELSE excluded.stream_seq > old.stream_seq END`, "old.", table+".")
}

const (
	observationColumns = `kind, resource_id, tenant, provider, source, service_type, status, raw, message, event_id, sequence, observed_at, stream_seq,
	received_at, changed_at, state, version, differs_at, told_at, revision`
	heldColumns = `kind, resource_id, provider, source, service_type, status, raw, message, event_id, sequence, observed_at, stream_seq,
	received_at, held_at, due, orphaned_at`
	quarantineColumns = `id, reason, detail, subject, message_id, header, data, size, stream_seq, stored_at, rejected_at, provider, service_type, resource_id`
	quarantineSize    = `octet_length(data) + octet_length(header)` // about: what is to be bounded
)

// statements are what is written with prepared statements, in a database's dialect.
type statements struct {
	observe, forget   string // of observations
	hold, adopt, wait string // of held ones
	drop, take        string // of held ones; take: if it is an orphan, or none, as it was
	quarantine        string
	lock              string // keeps others from holding or making a resource; "" where there is one writer
	compare, tell     string
	rows              string // FOR UPDATE, where it is needed
}

func statementsFor(dialect string) statements {
	s := statements{
		observe: "INSERT INTO status_observations (" + observationColumns + ") VALUES (" + marks(20) + ") ON CONFLICT (kind, resource_id) DO UPDATE SET " +
			assign(observationColumns) + " WHERE status_observations.revision = excluded.revision - 1 AND (status_observations.provider = '' OR status_observations.provider = excluded.provider) AND " +
			orderGuard("status_observations"),
		forget: "DELETE FROM status_observations WHERE kind = ? AND resource_id = ?",
		hold: "INSERT INTO status_held (" + heldColumns + ") VALUES (" + marks(16) + ") ON CONFLICT (kind, resource_id) DO UPDATE SET " +
			assign("provider, source, service_type, status, raw, message, event_id, sequence, observed_at, stream_seq, received_at") +
			" WHERE (status_held.provider = '' OR status_held.provider = excluded.provider) AND " + orderGuard("status_held"),
		adopt:      "UPDATE status_held SET due = 1 WHERE kind = ? AND resource_id = ?",
		wait:       "UPDATE status_held SET due = 0 WHERE kind = ? AND resource_id = ?",
		drop:       "DELETE FROM status_held WHERE kind = ? AND resource_id = ?",
		take:       "DELETE FROM status_held WHERE kind = ? AND resource_id = ? AND orphaned_at = ?",
		quarantine: "INSERT INTO status_quarantine (" + quarantineColumns + ") VALUES (" + marks(14) + ") ON CONFLICT (id) DO NOTHING",
		compare:    "UPDATE status_observations SET state = ?, version = ?, differs_at = ?, told_at = ?, revision = revision + 1 WHERE kind = ? AND resource_id = ?",
		tell:       "UPDATE status_observations SET told_at = ?, revision = revision + 1 WHERE kind = ? AND resource_id = ? AND differs_at = ? AND told_at = 0",
	}
	if dialect == "postgres" {
		s.lock, s.rows = "SELECT pg_advisory_xact_lock(hashtextextended(?, 7310))", " FOR UPDATE"
		for _, text := range []*string{&s.observe, &s.forget, &s.hold, &s.adopt, &s.wait, &s.drop, &s.take, &s.quarantine, &s.lock, &s.compare, &s.tell} {
			*text = numbered(*text)
		}
	}
	return s
}

func marks(n int) string { return "?" + strings.Repeat(", ?", n-1) }

// assign sets columns to what was to be inserted.
func assign(columns string) string {
	var sets []string
	for _, c := range strings.Split(columns, ",") {
		if c = strings.TrimSpace(c); c != "kind" && c != "resource_id" {
			sets = append(sets, c+" = excluded."+c)
		}
	}
	return strings.Join(sets, ", ")
}

// numbered writes $1, $2 … in the place of ?.
func numbered(query string) string {
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		query = after
	}
}
