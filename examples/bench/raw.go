package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// rawMoves writes the rows of a move and nothing else: prepared statements on one connection, a document that is ready,
// no reads, no machine, nobody who is told.
type rawMoves struct {
	perTx int
	db    *sql.DB
	conn  *sql.Conn
	ids   []string
	steps []int
	doc   string

	begin, commit, update, head, insert *sql.Stmt

	pending int
	seq     uint64 // of the newest event
}

const (
	updateVM = `UPDATE vms SET tenant = ?, name = ?, state = ?, origin = ?, operation = ?, version = ?, state_since = ?, created_at = ?, updated_at = ?,
		removed_at = ?, cpus = ?, memory_mib = ?, hypervisor = ?, guest_os = ?, hostname = ?, zone_id = ?, host_id = ?, template_id = ?, offering_id = ?, ever_ran = ?
		WHERE id = ? AND version = ?`
	insertEvent = `INSERT INTO journal (seq, id, type, schema, kind, resource_id, version, tenant, actor, source, time, recorded_at,
		correlation_id, causation_id, trace_parent, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	raiseHead = `UPDATE journal_head SET seq = ? WHERE one = 1`
	readDoc   = `SELECT data, seq FROM journal ORDER BY seq DESC LIMIT 1`
)

func openRaw(path string, ids []string, pragmas map[string]string) (*rawMoves, error) {
	db, err := openDatabase(path, pragmas)
	if err != nil {
		return nil, err
	}
	r := &rawMoves{db: db, ids: ids, steps: make([]int, len(ids))}
	if err := r.prepare(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return r, nil
}

func (r *rawMoves) prepare() (err error) {
	ctx := context.Background()
	if err := r.db.QueryRow(readDoc).Scan(&r.doc, &r.seq); err != nil {
		return err
	}
	if r.conn, err = r.db.Conn(ctx); err != nil {
		return err
	}
	for _, s := range []struct {
		stmt  **sql.Stmt
		query string
	}{{&r.begin, "BEGIN IMMEDIATE"}, {&r.commit, "COMMIT"}, {&r.update, updateVM}, {&r.head, raiseHead}, {&r.insert, insertEvent}} {
		if *s.stmt, err = r.conn.PrepareContext(ctx, s.query); err != nil {
			return err
		}
	}
	return nil
}

func (r *rawMoves) fire(i int) error {
	if r.pending == 0 {
		if _, err := r.begin.Exec(); err != nil {
			return err
		}
	}
	if err := r.write(i); err != nil {
		return err
	}
	if r.pending++; r.pending < r.perTx {
		return nil
	}
	return r.settle()
}

// write updates the row and inserts its event. Everything starts stopped, in version 1.
func (r *rawMoves) write(i int) error {
	r.steps[i]++
	step := r.steps[i]
	version := step + 1
	state := powerStates[(step-1)&3]
	at := time.Now()
	id := bus.NewID(at).String()
	var origin fsm.State
	operation := ""
	if state == vm.Starting || state == vm.Stopping {
		origin, operation = powerStates[(step+2)&3], id
	}
	ns := at.UnixNano()
	res, err := r.update.Exec("acme", "bench", string(state), string(origin), operation, version, ns, ns, ns,
		0, 2, 4096, "kvm", "", "bench", "", "", "", "", true,
		r.ids[i], version-1)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return fmt.Errorf("raw SQL: %d rows updated: %w", n, err)
	}
	r.seq++
	_, err = r.insert.Exec(r.seq, id, "vm.state."+string(state), 1, "vm", r.ids[i], version, "acme", "", source, ns, ns,
		id, "", "", r.doc)
	return err
}

// settle commits.
func (r *rawMoves) settle() error {
	if r.pending == 0 {
		return nil
	}
	r.pending = 0
	if _, err := r.head.Exec(r.seq); err != nil {
		return err
	}
	_, err := r.commit.Exec()
	return err
}

func (r *rawMoves) close() error {
	return errors.Join(r.settle(), r.conn.Close(), r.db.Close())
}

var _ firing = (*rawMoves)(nil)
