package journal

import (
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// recordAll takes the numbers and inserts all events in one statement: on a database behind a network each costs its way there and back.
// The parameters are how many there are, when they are recorded, and a list for each column.
const recordAll = `WITH head AS (UPDATE journal_head SET seq = seq + $1::bigint WHERE one = 1 RETURNING seq),
	inserted AS (INSERT INTO journal (seq, recorded_at, id, type, schema, kind, resource_id, version, tenant, actor, source, time,
			correlation_id, causation_id, trace_parent, data)
		SELECT head.seq - $1::bigint + e.nth, $2::bigint, e.id, e.type, e.schema, e.kind, e.resource_id, e.version, e.tenant, e.actor, e.source, e.time,
			e.correlation_id, e.causation_id, e.trace_parent, e.data
		FROM head, unnest($3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[], $11::text[], $12::bigint[],
			$13::text[], $14::text[], $15::text[], $16::text[])
			WITH ORDINALITY AS e (id, type, schema, kind, resource_id, version, tenant, actor, source, time, correlation_id, causation_id, trace_parent, data, nth))
	SELECT seq FROM head`

// columnsOf turns rows into a list for each column, in recordAll's order.
func columnsOf(staged []bus.Record) ([]any, error) {
	texts := make([][]string, 11)
	var schemas, versions, times []int64
	for i := range staged {
		r := &staged[i]
		at, err := Nanoseconds(r.Time)
		if err != nil {
			return nil, err
		}
		schemas, versions, times = append(schemas, int64(r.Schema)), append(versions, int64(r.Version)), append(times, at)
		for c, text := range [...]string{
			r.ID.String(), r.Type, r.Kind, r.ResourceID, r.Tenant, r.Actor, r.Source, r.CorrelationID, r.CausationID, r.TraceParent, string(r.Data),
		} {
			texts[c] = append(texts[c], text)
		}
	}
	return []any{
		texts[0], texts[1], schemas, texts[2], texts[3], versions, texts[4], texts[5], texts[6], times, texts[7], texts[8], texts[9], texts[10],
	}, nil
}

// recordAtOnce is record by one statement.
func (j *Journal) recordAtOnce(staged []bus.Record) error {
	n, last, now := uint64(len(staged)), uint64(0), j.now()
	columns, err := columnsOf(staged)
	if err != nil {
		return j.line.failed("record events", err)
	}
	args := append([]any{int64(n), now.UnixNano()}, columns...)
	if _, err := j.line.queryRow(recordAll, args, []any{&last}); err != nil {
		return j.line.failed("record events", err)
	}
	number(staged, last, now)
	return nil
}

// number writes into records what the journal has given them.
func number(staged []bus.Record, last uint64, now time.Time) {
	first := last - uint64(len(staged)) + 1
	for i := range staged {
		staged[i].Seq, staged[i].RecordedAt = first+uint64(i), now.Round(0).UTC()
	}
}
