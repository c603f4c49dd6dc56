package eventlog

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// record writes a batch of events into the log, in the transaction that moves the position in the journal.
func (p *Plugin) record(_ context.Context, tx *journal.Tx, batch []bus.Event[bus.Raw]) error {
	if len(batch) == 0 {
		return nil
	}
	events, err := p.unknown(tx, batch)
	if err != nil {
		return err
	}
	for _, e := range events {
		values, err := e.values()
		if err != nil {
			return err
		}
		if _, err := tx.Exec(p.statements.event, values...); err != nil {
			return err
		}
	}
	if err := p.statements.add(tx, postings(events)); err != nil {
		return err
	}
	return p.statements.widen(tx, events)
}

// unknown returns those of a batch that aren't in the log: all of them, unless it's a replay. What retention would remove at once doesn't come in.
func (p *Plugin) unknown(tx *journal.Tx, batch []bus.Event[bus.Raw]) ([]*Event, error) {
	known, err := p.seqsIn(tx, batch[0].Seq, batch[len(batch)-1].Seq)
	if err != nil {
		return nil, err
	}
	now := p.runtime.Now()
	events := make([]*Event, 0, len(batch))
	for _, e := range batch {
		if _, found := slices.BinarySearch(known, e.Seq); found || !p.policy.keeps(e.Type, e.Time, now) {
			continue
		}
		events = append(events, &Event{
			Seq: e.Seq, ID: e.ID, Type: e.Type, Schema: e.Schema, Source: e.Source, Kind: e.Kind, ResourceID: e.ResourceID, Version: e.Version,
			Tenant: e.Tenant, Actor: e.Actor, Time: e.Time, Level: levelOf(p.policy.levels, e.Type, e.Payload),
			CorrelationID: e.CorrelationID, CausationID: e.CausationID, TraceParent: e.TraceParent, Data: json.RawMessage(e.Payload),
		})
	}
	return events, nil
}

// seqsIn returns the numbers that are in the log between two, in order.
func (p *Plugin) seqsIn(tx *journal.Tx, first, last uint64) (seqs []uint64, err error) {
	var newest uint64
	if err := tx.QueryRow("SELECT COALESCE(MAX(seq), 0) FROM eventlog", nil, &newest); err != nil || newest < first {
		return nil, err
	}
	err = tx.DB().Raw("SELECT seq FROM eventlog WHERE seq BETWEEN ? AND ? ORDER BY seq", first, last).Scan(&seqs).Error
	return seqs, err
}
