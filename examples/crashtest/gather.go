package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// backupsRead is how many backups are looked at: the last ones.
const backupsRead = 5

// gather reads all evidence of a trial whose children have ended: with plain SQL, and with no code of what is under test but the opening of the database.
func gather(ctx context.Context, o orders, lives int, b *broker) (*evidence, error) {
	store, err := openStore(o, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, fmt.Errorf("open the database at the end: %w", err)
	}
	e, err := readStore(ctx, store)
	if err != nil {
		return nil, err
	}
	for n := 1; n <= lives; n++ {
		l, err := readLife(o.Dir, n)
		if err != nil {
			return nil, err
		}
		e.Lives = append(e.Lives, l)
	}
	if err := e.readBackups(ctx, o.Dir); err != nil {
		return nil, err
	}
	e.Messages, err = b.read(ctx)
	return e, err
}

// readLife reads the files of one child.
func readLife(dir string, number int) (l life, err error) {
	l.Number = number
	if l.Acks, err = readAcks(dir, number); err != nil {
		return l, err
	}
	if l.Notes, err = readNotes(dir, notebookName, number); err != nil {
		return l, err
	}
	if l.Moody, err = readNotes(dir, moodyNotebookName, number); err != nil {
		return l, err
	}
	l.Replayed, err = readReplays(dir, number)
	return l, err
}

// readBackups reads the last backups of a trial.
func (e *evidence) readBackups(ctx context.Context, dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, backups))
	if err != nil {
		return err
	}
	slices.Sort(files)
	for _, file := range files[max(0, len(files)-backupsRead):] {
		store, err := sqlite.Open(file, sqlite.Options{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		b, err := readStore(ctx, store)
		if err != nil {
			return fmt.Errorf("backup %s: %w", file, err)
		}
		e.Backups = append(e.Backups, backup{filepath.Base(file), b})
	}
	return nil
}

// readStore reads what lies in a database, and closes it.
func readStore(ctx context.Context, store *gormstore.Store) (_ *evidence, err error) {
	defer func() { err = errors.Join(err, store.Close(context.WithoutCancel(ctx))) }()
	db, err := store.Writer().DB().DB()
	if err != nil {
		return nil, err
	}
	e := &evidence{}
	if store.Writer().DB().Name() == "sqlite" {
		err = e.readDamage(ctx, db)
	}
	return e, errors.Join(err, e.readJournal(ctx, db), e.readRows(ctx, db), e.readLedger(ctx, db), e.readTally(ctx, db))
}

func (e *evidence) readDamage(ctx context.Context, db *sql.DB) error {
	return each(ctx, db, "PRAGMA integrity_check", func(scan scanner) error {
		var said string
		err := scan(&said)
		if said != "ok" {
			e.Damage = append(e.Damage, said)
		}
		return err
	})
}

type scanner func(dest ...any) error

// each calls fn for each row.
func each(ctx context.Context, db *sql.DB, query string, fn func(scanner) error) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return fmt.Errorf("%s: %w", query, err)
		}
	}
	return rows.Err()
}

func (e *evidence) readJournal(ctx context.Context, db *sql.DB) error {
	err := each(ctx, db, "SELECT seq FROM journal_head", func(scan scanner) error { return scan(&e.Head) })
	if err != nil {
		return err
	}
	return each(ctx, db, "SELECT seq, id, type, kind, resource_id, version, data FROM journal ORDER BY seq", func(scan scanner) error {
		var r entry
		var kind, id string
		var data []byte
		if err := scan(&r.Seq, &r.Event, &r.Type, &kind, &id, &r.Version, &data); err != nil {
			return err
		}
		r.Resource = kind + "/" + id
		err := r.decode(data)
		e.Journal = append(e.Journal, r)
		return err
	})
}

func (r *entry) decode(data []byte) error {
	var into any
	switch {
	case strings.HasPrefix(r.Type, "vm."):
		r.Change = &change{}
		into = r.Change
	case strings.HasPrefix(r.Type, "usage."):
		r.Metered = &metered{}
		into = r.Metered
	default:
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("event %d: %w", r.Seq, err)
	}
	return nil
}

func (e *evidence) readRows(ctx context.Context, db *sql.DB) error {
	return each(ctx, db, "SELECT id, state, origin, version FROM vms ORDER BY id", func(scan scanner) error {
		var r row
		err := scan(&r.ID, &r.State, &r.Origin, &r.Version)
		e.VMs = append(e.VMs, r)
		return err
	})
}

func (e *evidence) readLedger(ctx context.Context, db *sql.DB) error {
	const query = "SELECT opened_seq, meter, tenant, kind, resource_id, cpus, memory_mib, started_at, ended_at, closed_seq FROM usage_intervals ORDER BY opened_seq, meter"
	return each(ctx, db, query, func(scan scanner) error {
		var i interval
		var kind, id string
		err := scan(&i.OpenedSeq, &i.Meter, &i.Tenant, &kind, &id, &i.CPUs, &i.MemoryMiB, &i.StartedAt, &i.EndedAt, &i.ClosedSeq)
		i.Resource = kind + "/" + id
		e.Intervals = append(e.Intervals, i)
		return err
	})
}

func (e *evidence) readTally(ctx context.Context, db *sql.DB) error {
	err := each(ctx, db, "SELECT subscription, total FROM crashtest_total", func(scan scanner) error {
		var name string
		var total uint64
		err := scan(&name, &total)
		if name == tallyName {
			e.Total = total
		} else {
			e.MoodTotal = total
		}
		return err
	})
	if err != nil {
		return err
	}
	const query = "SELECT subscription, place, seq, event, resource, life FROM crashtest_tally ORDER BY subscription, place, seq"
	return each(ctx, db, query, func(scan scanner) error {
		var c counted
		err := scan(&c.Subscription, &c.Place, &c.Seq, &c.Event, &c.Resource, &c.Life)
		if c.Subscription == tallyName {
			e.Tally = append(e.Tally, c)
		} else {
			e.Moody = append(e.Moody, c)
		}
		return err
	})
}
