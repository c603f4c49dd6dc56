package journal

import (
	"strconv"
	"strings"
)

const columns = "seq, id, type, schema, kind, resource_id, version, tenant, actor, source, time, recorded_at, correlation_id, causation_id, trace_parent, data"

// texts are the journal's SQL statements in a database's dialect.
type texts struct {
	takeNumbers, insert                     string
	read, bounds, seqBefore                 string
	cursor, cursors, raiseCursor, setCursor string
	head                                    string
	removeUpTo, firstSince                  string
	warnOf, forgetWarning, forgetCursor     string
	park, parkAgain, unpark, isParked       string
	parkedResources, forgetParked           string
	attempts, storeAttempt                  string
	forgetAttempt, forgetAttempts           string
}

func textsFor(dialect string) texts {
	b := func(q string) string { return bind(dialect, q) }
	return texts{
		takeNumbers: b("UPDATE journal_head SET seq = seq + ? WHERE one = 1 RETURNING seq"),
		insert:      b("INSERT INTO journal (" + columns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
		read:        b("SELECT " + columns + " FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"),
		bounds:      b("SELECT (SELECT min(seq) FROM journal), (SELECT seq FROM journal_head WHERE one = 1)"),
		seqBefore:   b("SELECT seq FROM journal WHERE recorded_at < ? ORDER BY seq DESC LIMIT 1"),
		head:        b("SELECT seq FROM journal_head WHERE one = 1"),
		cursor:      b("SELECT seq, (SELECT seq FROM journal_head WHERE one = 1) FROM journal_cursor WHERE name = ?"),
		cursors:     b("SELECT name, seq, updated_at FROM journal_cursor ORDER BY name"),
		raiseCursor: b("INSERT INTO journal_cursor (name, seq, updated_at) VALUES (?, ?, ?) " +
			"ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, updated_at = excluded.updated_at WHERE excluded.seq >= journal_cursor.seq"),
		removeUpTo: b("DELETE FROM journal WHERE seq <= ?"),
		firstSince: b("SELECT seq FROM journal WHERE seq <= ? AND recorded_at >= ? ORDER BY seq LIMIT 1"),
		warnOf: b("INSERT INTO journal_unclaimed (name, warned_at) VALUES (?, ?) " +
			"ON CONFLICT (name) DO UPDATE SET warned_at = excluded.warned_at WHERE journal_unclaimed.warned_at <= ? OR journal_unclaimed.warned_at > ?"),
		forgetWarning: b("DELETE FROM journal_unclaimed WHERE name = ?"),
		forgetCursor:  b("DELETE FROM journal_cursor WHERE name = ?"),
		park: b("INSERT INTO journal_parked (subscription, reason, tries, parked_at, " + columns + ") " +
			"SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT), " + columns + " FROM journal WHERE seq = ? ON CONFLICT DO NOTHING"),
		parkAgain: b("UPDATE journal_parked SET reason = ?, tries = ?, parked_at = ? WHERE subscription = ? AND seq = ?"),
		unpark:    b("DELETE FROM journal_parked WHERE subscription = ? AND seq = ?"),
		isParked:  b("SELECT 1 FROM journal_parked WHERE subscription = ? AND seq = ?"),
		parkedResources: b("SELECT p.kind, p.resource_id, g.events, p.seq, p.type, p.reason, p.tries, p.parked_at FROM " +
			"(SELECT count(*) AS events, min(seq) AS oldest FROM journal_parked WHERE subscription = ? " +
			"GROUP BY kind, resource_id, CASE WHEN resource_id = '' THEN seq ELSE 0 END) AS g " +
			"JOIN journal_parked AS p ON p.subscription = ? AND p.seq = g.oldest ORDER BY p.seq"),
		forgetParked:   b("DELETE FROM journal_parked WHERE subscription = ?"),
		attempts:       b("SELECT seq, tries FROM journal_attempts WHERE name = ? ORDER BY seq"),
		storeAttempt:   b("INSERT INTO journal_attempts (name, seq, tries) VALUES (?, ?, ?) ON CONFLICT (name, seq) DO UPDATE SET tries = excluded.tries"),
		forgetAttempt:  b("DELETE FROM journal_attempts WHERE name = ? AND seq = ?"),
		forgetAttempts: b("DELETE FROM journal_attempts WHERE name = ?"),
		setCursor:      b("UPDATE journal_cursor SET seq = ?, updated_at = ? WHERE name = ?"),
	}
}

// bind writes placeholders as the database wants them.
func bind(dialect, query string) string {
	if dialect != "postgres" {
		return query
	}
	var out strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		out.WriteString("$" + strconv.Itoa(n))
		query = after
	}
}
