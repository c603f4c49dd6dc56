package main

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// All contenders must leave the same behind, or they haven't done the same.
func TestMovesLeaveTheSameRows(t *testing.T) {
	const moves = 6
	dir := t.TempDir()
	b := &bench{resources: callers, events: callers}
	if err := b.prepare(dir); err != nil {
		t.Fatal(err)
	}
	ours, peers, err := b.compete(dir)
	if err != nil {
		t.Fatal(err)
	}
	peers.raw.perTx = perTx
	contents := map[string][]string{}
	for name, f := range map[string]firing{"ours": ours, "raw": peers.raw, "gorm": peers.gorm} {
		for n := range moves * callers {
			if err := f.fire(n % callers); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if err := errors.Join(f.settle(), f.close()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		contents[name] = dump(t, filepath.Join(dir, name+".db"))
	}
	if n := len(contents["ours"]); n != callers+(moves+1)*callers {
		t.Errorf("ours has %d rows, want %d VMs and %d events", n, callers, (moves+1)*callers)
	}
	for _, peer := range []string{"raw", "gorm"} {
		for i, line := range contents["ours"] {
			if i >= len(contents[peer]) || contents[peer][i] != line {
				t.Fatalf("row %d of %d: %s has %s, ours %s", i, len(contents[peer]), peer, contents[peer][min(i, len(contents[peer])-1)], line)
			}
		}
	}
}

// dump returns what doesn't depend on the clock or on chance.
func dump(t *testing.T, path string) []string {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var all []string
	for _, query := range []string{
		"SELECT id || state || origin || version || cpus || hypervisor || (operation <> '') FROM vms ORDER BY id",
		"SELECT resource_id || version || type || schema || kind || tenant || actor || source || (correlation_id = id) || causation_id FROM journal ORDER BY resource_id, version",
	} {
		rows, err := db.Query(query)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			all = append(all, line)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestDriveCountsMovesAndReportsFailures(t *testing.T) {
	var f pretended
	figures, err := drive(&f, 1, 10, time.Millisecond)
	if err != nil || len(figures) != 1 || figures[0] <= 0 || f.settled != 1 || f.fired == 0 {
		t.Errorf("%v, %v, %+v", figures, err, f)
	}
	f.err = errors.New("no")
	if _, err := drive(&f, 3, 10, time.Hour); !errors.Is(err, f.err) {
		t.Errorf("error is %v", err)
	}
}

type pretended struct {
	fired, settled int
	err            error
}

func (p *pretended) fire(int) error {
	if p.err == nil {
		p.fired++
	}
	return p.err
}
func (p *pretended) settle() error { p.settled++; return nil }
func (p *pretended) close() error  { return nil }

func TestFillMakesDatabasesThatWork(t *testing.T) {
	path := filepath.Join(t.TempDir(), "many.db")
	if err := fill(path, few+500, few+500); err != nil {
		t.Fatal(err)
	}
	lines := dump(t, path)
	if len(lines) != 2*(few+500) || !slices.ContainsFunc(lines, func(l string) bool { return l == fmt.Sprintf("%sstopped12kvm0", idleID(few+499)) }) {
		t.Errorf("%d rows, the first %q", len(lines), lines[0])
	}
	f, err := openFleet(path)
	if err != nil {
		t.Fatal(err)
	}
	f.take([]string{idleID(0), idleID(few + 499)})
	for i := range f.ids {
		if err := f.fire(i); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(f.settle(), f.close()); err != nil {
		t.Error(err)
	}
}
