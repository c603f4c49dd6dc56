package journal_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// BenchmarkDo measures a member, on SQLite with synchronous=FULL: empty; one that writes a row and an event by prepared statements.
func BenchmarkDo(b *testing.B) {
	move := func(j *journal.Journal, id int64) error {
		return j.Do(context.Background(), func(tx *journal.Tx) error {
			if _, err := tx.Exec("UPDATE things SET n = n + 1 WHERE id = ?", id); err != nil {
				return err
			}
			_, err := tx.Append(note{Type: "thing.updated", Text: "0123456789012345678901234567890123456789"})
			return err
		})
	}
	setup := func(b *testing.B) *journal.Journal {
		j := open(b, sqlite.Options{})
		attach(b, j)
		exec(b, j, "CREATE TABLE things (id INTEGER PRIMARY KEY, n INTEGER)")
		exec(b, j, "WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 9999) INSERT INTO things SELECT i, 0 FROM c")
		b.ReportAllocs()
		b.ResetTimer()
		return j
	}
	b.Run("empty", func(b *testing.B) {
		j := setup(b)
		for b.Loop() {
			if err := j.Do(context.Background(), func(*journal.Tx) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("alone", func(b *testing.B) {
		j, n := setup(b), int64(0)
		for b.Loop() {
			if n++; move(j, n%10000) != nil {
				b.Fatal("failed")
			}
		}
	})
	b.Run("64 callers", func(b *testing.B) {
		j := setup(b)
		var n atomic.Int64
		b.SetParallelism(32) // times GOMAXPROCS
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := move(j, n.Add(1)*7919%10000); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
