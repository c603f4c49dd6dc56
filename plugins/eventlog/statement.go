package eventlog

import (
	"strconv"
	"strings"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// sizes are how many rows a statement takes: few texts, which stay prepared.
var sizes = []int{64, 8, 1}

// statements are the texts that run often, for a number of rows each, in the words of a database.
type statements struct {
	event string
	index map[int]string // adds bits
	clear map[int]string // takes bits away
	purge map[int]string // removes rows without bits
	span  string
}

func newStatements(dialect string) *statements {
	s := &statements{index: make(map[int]string), clear: make(map[int]string), purge: make(map[int]string)}
	s.event = bind(dialect, "INSERT INTO eventlog ("+columns+") VALUES (?"+strings.Repeat(", ?", strings.Count(columns, ","))+") ON CONFLICT (seq) DO NOTHING")
	s.span = bind(dialect, `INSERT INTO eventlog_spans (level, node, first_time, last_time) VALUES (?, ?, ?, ?) ON CONFLICT (level, node) DO UPDATE SET
		first_time = CASE WHEN excluded.first_time < eventlog_spans.first_time THEN excluded.first_time ELSE eventlog_spans.first_time END,
		last_time = CASE WHEN excluded.last_time > eventlog_spans.last_time THEN excluded.last_time ELSE eventlog_spans.last_time END
		WHERE excluded.first_time < eventlog_spans.first_time OR excluded.last_time > eventlog_spans.last_time`)
	for _, n := range sizes {
		rows := func(row string) string { return row + strings.Repeat(", "+row, n-1) }
		s.index[n] = bind(dialect, "INSERT INTO eventlog_terms (term, block, bits) VALUES "+rows("(?, ?, ?)")+
			" ON CONFLICT (term, block) DO UPDATE SET bits = eventlog_terms.bits | excluded.bits")
		s.clear[n] = bind(dialect, `UPDATE eventlog_terms SET bits = eventlog_terms.bits & ~gone.bits FROM
			(SELECT column1 AS term, column2 AS block, column3 AS bits FROM (VALUES `+rows("(CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT))")+`) AS given) AS gone
			WHERE eventlog_terms.term = gone.term AND eventlog_terms.block = gone.block`)
		s.purge[n] = bind(dialect, `DELETE FROM eventlog_terms WHERE bits = 0 AND (term, block) IN
			(SELECT column1, column2 FROM (VALUES `+rows("(CAST(? AS TEXT), CAST(? AS BIGINT))")+`) AS given)`)
	}
	return s
}

// bind writes placeholders as a database has them.
func bind(dialect, text string) string {
	if dialect != "postgres" {
		return text
	}
	var b strings.Builder
	n := 0
	for _, c := range text {
		if c != '?' {
			b.WriteRune(c)
			continue
		}
		n++
		b.WriteString("$" + strconv.Itoa(n))
	}
	return b.String()
}

// each runs a statement over postings, many at a time.
func each(tx *journal.Tx, texts map[int]string, all []posting, values func(posting) []any) error {
	for _, size := range sizes {
		for ; len(all) >= size; all = all[size:] {
			args := make([]any, 0, 3*size)
			for _, p := range all[:size] {
				args = append(args, values(p)...)
			}
			if _, err := tx.Exec(texts[size], args...); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *statements) add(tx *journal.Tx, all []posting) error {
	return each(tx, s.index, all, func(p posting) []any { return []any{p.term, p.block, int64(p.bits)} })
}

// remove takes bits out of the index, and rows that have none left.
func (s *statements) remove(tx *journal.Tx, all []posting) error {
	if err := each(tx, s.clear, all, func(p posting) []any { return []any{p.term, p.block, int64(p.bits)} }); err != nil {
		return err
	}
	return each(tx, s.purge, all, func(p posting) []any { return []any{p.term, p.block} })
}
