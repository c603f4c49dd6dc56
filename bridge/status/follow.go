package status

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources"
)

// follow compares resources that somebody else moves with what is observed of them, in the transaction that moves the plugin's place in the
// journal. Those that reports move are compared where they are.
func (i *Ingest) follow(c *bus.Client) error {
	var options []bus.Option
	for _, kind := range slices.Sorted(maps.Keys(i.kinds)) {
		options = append(options, bus.Type(kind+".state.>"))
	}
	if len(options) == 0 {
		return nil
	}
	_, err := journal.Subscribe(c, Name, i.moved, options...)
	return err
}

func (i *Ingest) moved(_ context.Context, tx *journal.Tx, batch []bus.Event[resources.AnyChanged]) error {
	newest := map[place]resources.Change{}
	for _, e := range batch {
		c := e.Payload.What()
		if c.From != c.To && !i.reported(c) {
			newest[place{c.Kind, c.ResourceID}] = c
		}
	}
	ids := map[string][]string{}
	for at := range newest {
		ids[at.kind] = append(ids[at.kind], at.id)
	}
	for _, kind := range slices.Sorted(maps.Keys(ids)) {
		if err := i.compareAll(tx, kind, ids[kind], newest); err != nil {
			return err
		}
	}
	return nil
}

// reported reports whether a change is one that a report made: by a trigger of theirs, in the name of a provider.
func (i *Ingest) reported(c resources.Change) bool {
	return strings.HasPrefix(c.Actor, providerActor) && i.fires[move{c.Kind, c.Trigger}]
}

// compareAll compares resources of a kind with what is observed of them.
func (i *Ingest) compareAll(tx *journal.Tx, kind string, ids []string, newest map[place]resources.Change) error {
	rows, err := tx.DB().Raw("SELECT "+observationColumns+" FROM status_observations WHERE kind = ? AND resource_id IN ? ORDER BY resource_id"+i.text.rows, kind, ids).Rows()
	if err != nil {
		return err
	}
	seen, err := collect(rows, (*row).scanObservation)
	if err != nil {
		return err
	}
	now := i.runtime.Now().UnixNano()
	for _, r := range seen {
		c, t := newest[r.place()], i.intakes[r.serviceType]
		if int64(c.Version) <= r.version || t == nil {
			continue // a report has seen more
		}
		r.state, r.version = c.To, int64(c.Version)
		over := r.compare(t, now)
		if _, err := tx.Exec(i.text.compare, string(r.state), r.version, r.differs, r.told, r.kind, r.id); err != nil {
			return err
		}
		if over == nil {
			continue
		}
		if _, err := tx.Append(*over, at(now)); err != nil {
			return err
		}
	}
	return nil
}
