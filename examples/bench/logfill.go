package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// fillLog makes a log of so many events by SQL. What that writes is compared with what the plugin writes of the same events: for few.
func (b *bench) fillLog(dir string, n int) (*eventLog, error) {
	b.say(fmt.Sprintf("an event log of %d events", n))
	path, begun := filepath.Join(dir, fmt.Sprintf("log%d.db", n)), time.Now()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := makeLog(path, n); err != nil {
			return nil, errors.Join(err, os.RemoveAll(path))
		}
	}
	if err := readFile(path); err != nil {
		return nil, err
	}
	l, err := openLog(path, n)
	if err != nil {
		return nil, err
	}
	if err := l.bus.Flush(l.ctx); err != nil {
		return nil, errors.Join(err, l.close())
	}
	b.say(fmt.Sprintf("it is ready after %v", time.Since(begun).Round(time.Second)))
	return l, nil
}

// readFile has the system's cache know a file: what is measured is a server that has been running, not the disk.
func readFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, f)
	return errors.Join(err, f.Close())
}

// makeLog has the plugin make its tables, and fills them. The journal's head is moved on, so that the plugin has read all.
func makeLog(path string, n int) error {
	l, err := openLog(path, n)
	if err != nil {
		return err
	}
	if err := l.close(); err != nil {
		return err
	}
	db, err := openBare(path)
	if err != nil {
		return err
	}
	return errors.Join(insertEvents(db, "eventlog", n), insertTerms(db, n), insertSpans(db, n),
		run(db, fmt.Sprintf("UPDATE journal_head SET seq = %d", n), fmt.Sprintf("UPDATE journal_cursor SET seq = %d WHERE name = 'eventlog'", n), "PRAGMA journal_mode = WAL"), db.Close())
}

// openBare opens a file that nobody else has, and that is thrown away if anything fails.
func openBare(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, run(db, "PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA locking_mode = EXCLUSIVE", "PRAGMA cache_size = -1048576", "PRAGMA temp_store = MEMORY")
}

const (
	idOf    = "printf('01900000-0000-7000-8000-%012x', "
	vmOf    = "printf('vm-%%08d', i * 7919 %% (%[1]d / 100))"
	beginOf = "i - i % 8"
	typeOf  = "CASE WHEN i % 64 = 3 THEN 'vm.stuck' WHEN i % 64 = 5 THEN 'action.vm.start.failed' WHEN i % 64 = 9 THEN 'volume.created' ELSE 'vm.state.' || " + stateOf + " END"
	levelOf = "CASE WHEN i % 64 = 3 THEN 'warning' WHEN i % 64 = 5 THEN 'error' ELSE 'info' END"
	stateOf = "CASE i % 4 WHEN 0 THEN 'starting' WHEN 1 THEN 'running' WHEN 2 THEN 'stopping' ELSE 'stopped' END"
	kindOf  = "CASE WHEN i % 64 = 9 THEN 'volume' ELSE 'vm' END"
	timeOf  = "1780000000000000000 + i * 1000000000"
)

// tenantOf gives "rare" five events, however many there are.
const tenantOf = "CASE WHEN i %% (%[1]d / 5) = 7 THEN 'rare' ELSE 'tenant-' || (i * 31 %% 50) END"

// numbers are those from one to another.
func numbers(first, last int) string {
	return fmt.Sprintf("WITH RECURSIVE number(i) AS (SELECT %d UNION ALL SELECT i + 1 FROM number WHERE i < %d) ", first, last)
}

// insertEvents writes events into the log's table, or the journal. Each of the resources has 100 events, however many these are. Chains are of eight events.
func insertEvents(db *sql.DB, table string, n int) error {
	data := `'{"action":"moved","kind":"vm","resource_id":"' || ` + vmOf + ` || '","tenant":"' || ` + tenantOf + ` || '","trigger":"operation_succeeded","to":"' || ` + twice(stateOf) + ` || '",' ||
		'"operation":"' || ` + twice(idOf+beginOf+")") + ` || '","time":"2026-05-01T12:00:00.123456789Z","reason":"scheduled by the operator of rack-' || (i %% 100) || '","resource":{"id":"' || ` + vmOf + ` || '",' ||
		'"name":"web server","state":"' || ` + twice(stateOf) + ` || '","state_since":"2026-05-01T11:00:00Z","created_at":"2026-05-01T11:00:00Z","updated_at":"2026-05-01T11:00:00Z",' ||
		'"memory_mib":4096,"hypervisor":"kvm","host_id":"host-' || (i * 13 %% 500) || '"}}'`
	columns := [][2]string{
		{"seq", "i"}, {"id", twice(idOf + "i)")}, {"type", twice(typeOf)}, {"schema", "1"}, {"kind", twice(kindOf)}, {"resource_id", vmOf}, {"version", "1"}, {"tenant", tenantOf},
		{"actor", "'user:' || (i * 17 %% 50)"}, {"source", "'cloudbus/bench'"}, {"time", timeOf},
		{"correlation_id", twice("CASE WHEN i % 8 = 0 THEN '' ELSE " + idOf + beginOf + ") END")},
		{"causation_id", twice("CASE WHEN i % 8 = 0 THEN '' ELSE " + idOf + beginOf + " + i % 8 / 2) END")}, {"trace_parent", "''"}, {"data", data},
	}
	if table == "journal" {
		columns = append(columns, [2]string{"recorded_at", timeOf})
	} else {
		columns = append(columns, [2]string{"level", twice(levelOf)}, [2]string{"archived_at", "0"})
	}
	var names, values []string
	for _, c := range columns {
		names, values = append(names, c[0]), append(values, strings.ReplaceAll(strings.ReplaceAll(c[1], "%[1]d", fmt.Sprint(n)), "%%", "%"))
	}
	return run(db, numbers(1, n)+"INSERT INTO "+table+" ("+strings.Join(names, ", ")+") SELECT "+strings.Join(values, ", ")+" FROM number")
}

// twice doubles the percent signs of what isn't a format, for one that is.
func twice(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// insertTerms writes the index: as the plugin does, but a term after the other.
func insertTerms(db *sql.DB, n int) error {
	into := "INSERT INTO eventlog_terms (term, block, bits) "
	in := func(text string) string {
		return strings.ReplaceAll(strings.ReplaceAll(text, "%[1]d", fmt.Sprint(n)), "%%", "%")
	}
	var texts []string
	// Of what has one event in 32, at most.
	for _, term := range []string{"'e:' || " + idOf + "i)", "'r:' || " + in(vmOf), "'w:' || " + in(vmOf), "'a:user:' || (i * 17 % 50)", "'w:rack-' || (i % 100)", "'w:host-' || (i * 13 % 500)"} {
		texts = append(texts, numbers(1, n)+into+"SELECT "+term+", i >> 5, 1 << (i & 31) FROM number")
	}
	for _, of := range []string{"t:", "w:"} {
		texts = append(texts, numbers(1, n)+into+"SELECT '"+of+"tenant-' || (i * 31 % 50), i >> 5, 1 << (i & 31) FROM number WHERE i % ("+in("%[1]d / 5")+") <> 7",
			numbers(0, 4)+into+"SELECT '"+of+"rare', seq >> 5, 1 << (seq & 31) FROM (SELECT i * "+in("(%[1]d / 5)")+" + 7 AS seq FROM number)")
	}
	// Of all events, and of a chain's.
	for _, term := range append(strings.Fields("w:moved w:vm w:operation_succeeded w:scheduled w:by w:the w:operator w:of w:web w:server w:4096 w:kvm"), "x:0") {
		texts = append(texts, numbers(0, n>>5)+into+fmt.Sprintf("SELECT '%s', i, CASE i WHEN 0 THEN 0xfffffffe WHEN %d THEN %d ELSE 0xffffffff END FROM number", term, n>>5, 1<<(n&31+1)-1))
	}
	for of, bits := range map[string]string{"w:": "0xff", "c:": "0xfe"} {
		texts = append(texts, numbers(0, n/8-1)+into+"SELECT '"+of+"' || "+idOf+"i * 8), i >> 2, CASE i WHEN 0 THEN 0xfe ELSE "+bits+" << (i * 8 & 31) END FROM number")
	}
	texts = append(texts, fmt.Sprintf("INSERT INTO eventlog_terms VALUES ('w:' || %s%d), %d, 1 << %d)", idOf, n, n>>5, n&31))
	// Of what has many.
	for _, term := range []string{"'k:' || kind", "'y:' || type", "'l:' || level", "'w:' || " + strings.ReplaceAll(stateOf, "i %", "seq %")} {
		texts = append(texts, into+"SELECT "+term+", seq >> 5, SUM(1 << (seq & 31)) FROM eventlog GROUP BY 2, 1")
	}
	return run(db, texts...)
}

// insertSpans writes the times of the blocks.
func insertSpans(db *sql.DB, n int) error {
	var texts []string
	for level := range 5 {
		bits := 5 * (level + 1)
		at := func(i string) string { return strings.ReplaceAll(timeOf, "i ", i+" ") }
		texts = append(texts, numbers(0, n>>bits)+fmt.Sprintf("INSERT INTO eventlog_spans (level, node, first_time, last_time) SELECT %d, i, %s, %s FROM number",
			level, at(fmt.Sprintf("MAX(1, i << %d)", bits)), at(fmt.Sprintf("MIN(%d, ((i + 1) << %d) - 1)", n, bits))))
	}
	return run(db, texts...)
}

// compareFilling has the plugin read events from the journal, and compares its tables with those that are filled by SQL.
func (b *bench) compareFilling(dir string) error {
	paths := []string{filepath.Join(dir, "filled.db"), filepath.Join(dir, "read.db")}
	if err := makeLog(paths[0], smallLog); err != nil {
		return err
	}
	store, err := sqlite.Open(paths[1], sqlite.Options{Logger: slog.New(slog.DiscardHandler)}) // makes the journal's tables
	if err != nil {
		return err
	}
	if err := store.Close(context.Background()); err != nil {
		return err
	}
	db, err := openBare(paths[1])
	if err != nil {
		return err
	}
	if err := errors.Join(insertEvents(db, "journal", smallLog), run(db, fmt.Sprintf("UPDATE journal_head SET seq = %d", smallLog), "PRAGMA journal_mode = WAL"), db.Close()); err != nil {
		return err
	}
	l, err := openLog(paths[1], smallLog)
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := errors.Join(l.bus.Flush(l.ctx), l.close()); err != nil {
		return err
	}
	b.say(fmt.Sprintf("the plugin reads %d events in %v, %.0f µs each", smallLog, time.Since(begun).Round(time.Millisecond), time.Since(begun).Seconds()*1e6/smallLog))
	return sameTables(paths)
}

// sameTables compares the log's tables of two files.
func sameTables(paths []string) error {
	var contents [2][]string
	for i, path := range paths {
		db, err := sql.Open("sqlite3", path)
		if err != nil {
			return err
		}
		for _, text := range []string{
			"SELECT term || ' ' || block || ' ' || bits FROM eventlog_terms ORDER BY term, block", "SELECT level || ' ' || node || ' ' || first_time || ' ' || last_time FROM eventlog_spans ORDER BY level, node",
			"SELECT seq || ' ' || id || ' ' || type || ' ' || level || ' ' || tenant || ' ' || data FROM eventlog ORDER BY seq",
		} {
			rows, err := db.Query(text)
			if err != nil {
				return errors.Join(err, db.Close())
			}
			for rows.Next() {
				var line string
				if err := rows.Scan(&line); err != nil {
					return errors.Join(err, rows.Close(), db.Close())
				}
				contents[i] = append(contents[i], line)
			}
			if err := errors.Join(rows.Err(), rows.Close()); err != nil {
				return err
			}
		}
		if err := db.Close(); err != nil {
			return err
		}
	}
	if len(contents[0]) != len(contents[1]) {
		return fmt.Errorf("filled by SQL there are %d rows, the plugin has %d", len(contents[0]), len(contents[1]))
	}
	for i, line := range contents[0] {
		if contents[1][i] != line {
			return fmt.Errorf("filled by SQL %q, the plugin has %q", line, contents[1][i])
		}
	}
	return nil
}
