package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// backlog compares durable subscriptions that read the whole journal with bare SQL that does the same.
func (b *bench) backlog(dir string) (err error) {
	f, err := openFleet(filepath.Join(dir, "backlog.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	b.say(fmt.Sprintf("recording %d events", b.events))
	l := &log{fleet: f, events: b.events, resources: 10_000}
	if err := l.fill(); err != nil {
		return err
	}
	err = b.hold(contest{name: "backlog read by a durable subscription, per event", unit: "µs", contenders: []contender{
		{name: "ours", run: l.read},
		{name: "bare scan, same JSON decoded", run: l.scan, bars: []bar{atLeast(0.8)}},
	}})
	if err != nil {
		return err
	}
	return b.hold(contest{name: "backlog read, a row written for each, per event", unit: "µs", contenders: []contender{
		{name: "ours, exactly once", run: l.readAndWrite},
		{name: "scan, decode and insert, 256 a transaction", run: l.scanAndWrite, bars: []bar{atLeast(0.7)}},
	}})
}

// log is a journal full of events.
type log struct {
	*fleet
	events    int
	resources int // that they are about, in turns
	runs      int
}

const eventsPerTx = 1000

func (l *log) fill() error {
	for n := 0; n < l.events; n += eventsPerTx {
		err := l.store.Writer().Do(l.ctx, func(tx *journal.Tx) error {
			for i := n; i < min(n+eventsPerTx, l.events); i++ {
				if _, err := tx.Append(changed(i, l.resources)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return l.store.Writer().Do(l.ctx, func(tx *journal.Tx) error {
		return tx.DB().Exec("CREATE TABLE effects (seq INTEGER PRIMARY KEY, resource TEXT NOT NULL, cpus INTEGER NOT NULL)").Error
	})
}

// changed is the i-th of the events of some resources, in turns.
func changed(i, of int) vm.Changed {
	now := time.Now().UTC()
	v := newVM(fmt.Sprintf("0190163d-8694-739b-aea5-%012d", i%of))
	v.State, v.Version, v.StateSince, v.CreatedAt, v.UpdatedAt = vm.Running, uint64(i), now, now, now
	return vm.Changed{Resource: v, Change: resources.Change{
		ID: bus.NewID(now), Action: resources.Moved, Kind: vm.Kind, ResourceID: v.ID, Tenant: v.Tenant, Trigger: vm.OperationSucceeded,
		From: vm.Starting, To: vm.Running, Version: v.Version, Time: now, Since: now,
	}}
}

// perEvent is how long an event took, in µs.
func (l *log) perEvent(begun time.Time) []float64 {
	return []float64{float64(time.Since(begun).Microseconds()) / float64(l.events)}
}

// name is one that has no cursor.
func (l *log) name() string {
	l.runs++
	return fmt.Sprint("backlog-", l.runs)
}

// finish waits until all is handled, ends the subscription, and returns what an event took since begun.
func (l *log) finish(begun time.Time, s *bus.Subscription, c *bus.Client, handled *int, name string) ([]float64, error) {
	if err := l.bus.Flush(l.ctx); err != nil {
		return nil, err
	}
	took := l.perEvent(begun)
	if err := errors.Join(s.Err(), c.Close(l.ctx)); err != nil {
		return nil, err
	}
	if *handled != l.events {
		return nil, fmt.Errorf("%d of %d events were handled", *handled, l.events)
	}
	return took, l.store.Writer().Forget(l.ctx, name)
}

func (l *log) read() ([]float64, error) {
	name, handled, c := l.name(), 0, l.bus.Client("backlog")
	begun := time.Now()
	s, err := bus.Subscribe(c, func(_ context.Context, e bus.Event[vm.Changed]) error {
		handled++
		return nil
	}, bus.Durable(name), bus.From(0))
	if err != nil {
		return nil, err
	}
	return l.finish(begun, s, c, &handled, name)
}

func (l *log) readAndWrite() ([]float64, error) {
	name, handled, c := l.name(), 0, l.bus.Client("backlog")
	if err := l.clear(); err != nil {
		return nil, err
	}
	begun := time.Now()
	s, err := journal.Subscribe(c, name, func(_ context.Context, tx *journal.Tx, batch []bus.Event[vm.Changed]) error {
		for i := range batch {
			if _, err := tx.Exec(insertEffect, batch[i].Seq, batch[i].ResourceID, batch[i].Payload.Resource.CPUs); err != nil {
				return err
			}
		}
		handled += len(batch)
		return nil
	}, bus.From(0))
	if err != nil {
		return nil, err
	}
	return l.finish(begun, s, c, &handled, name)
}

const (
	insertEffect = "INSERT INTO effects (seq, resource, cpus) VALUES (?, ?, ?)"
	scanJournal  = "SELECT seq, id, type, schema, kind, resource_id, version, tenant, actor, source, time, recorded_at, correlation_id, causation_id, trace_parent, data FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"
)

func (l *log) clear() error {
	return l.store.Writer().Do(l.ctx, func(tx *journal.Tx) error {
		_, err := tx.Exec("DELETE FROM effects")
		return err
	})
}

// scan reads all with one statement.
func (l *log) scan() ([]float64, error) {
	begun := time.Now()
	n, _, err := l.rows(0, l.events, nil)
	if err == nil && n != l.events {
		err = fmt.Errorf("%d of %d events were read", n, l.events)
	}
	return l.perEvent(begun), err
}

// scanAndWrite reads pages, and writes what belongs to each in a transaction.
func (l *log) scanAndWrite() ([]float64, error) {
	if err := l.clear(); err != nil {
		return nil, err
	}
	begun := time.Now()
	for after := uint64(0); ; {
		var page []bus.Event[vm.Changed]
		n, last, err := l.rows(after, 256, &page)
		if err != nil || n == 0 {
			return l.perEvent(begun), err
		}
		after = last
		err = l.store.Writer().Do(l.ctx, func(tx *journal.Tx) error {
			for i := range page {
				if _, err := tx.Exec(insertEffect, page[i].Seq, page[i].ResourceID, page[i].Payload.Resource.CPUs); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
}

// rows reads and decodes what follows a number.
func (l *log) rows(after uint64, limit int, into *[]bus.Event[vm.Changed]) (n int, last uint64, err error) {
	db, err := l.store.Writer().DB().DB()
	if err != nil {
		return 0, 0, err
	}
	rows, err := db.QueryContext(l.ctx, scanJournal, after, limit)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var e bus.Event[vm.Changed]
		var at, recordedAt int64
		var data sql.RawBytes
		if err := rows.Scan(&e.Seq, &e.ID, &e.Type, &e.Schema, &e.Kind, &e.ResourceID, &e.Version, &e.Tenant, &e.Actor, &e.Source, &at, &recordedAt,
			&e.CorrelationID, &e.CausationID, &e.TraceParent, &data); err != nil {
			return n, last, err
		}
		if err := json.Unmarshal(data, &e.Payload); err != nil {
			return n, last, err
		}
		e.Time = time.Unix(0, at)
		n, last = n+1, e.Seq
		if into != nil {
			*into = append(*into, e)
		}
	}
	return n, last, rows.Err()
}
