package sqlite

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"time"
)

const (
	// checkpointSoon and checkpointLate bound how often the log is looked at: soon while it grows, seldom while nobody writes.
	checkpointSoon = 25 * time.Millisecond
	checkpointLate = time.Second
	// checkpointPages is from how many pages on, a megabyte, it is worth a sync of the database.
	checkpointPages = 256
)

// checkpointer moves what is committed from the log into the database while others write, on a connection of its own, in small pieces. The writer,
// which else stands still for it, is left with the few pages of the last moment when the log has its 4,000, and then begins it anew.
type checkpointer struct {
	db   *sql.DB
	log  *slog.Logger
	stop context.CancelFunc
	done sync.WaitGroup
}

// startCheckpoints takes db over.
func startCheckpoints(db *sql.DB, log *slog.Logger) *checkpointer {
	ctx, stop := context.WithCancel(context.Background())
	c := &checkpointer{db: db, log: log, stop: stop}
	c.done.Go(func() { c.run(ctx) })
	return c
}

func (c *checkpointer) close() error {
	c.stop()
	c.done.Wait()
	return c.db.Close()
}

func (c *checkpointer) run(ctx context.Context) {
	pause, fails := checkpointSoon, false
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		moved, err := c.look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !fails:
			c.log.Warn("sqlite: the log can't be moved into the database beside the writer, which does it by itself now", "error", err)
		case err == nil && fails:
			c.log.Info("sqlite: the log is moved into the database beside the writer again")
		}
		fails = err != nil
		if pause *= 2; moved {
			pause = checkpointSoon
		}
		pause = min(pause, checkpointLate)
		timer.Reset(pause)
	}
}

// look moves what lies in the log, if that is enough.
func (c *checkpointer) look(ctx context.Context) (moved bool, err error) {
	pages, there, err := c.checkpoint(ctx, "NOOP")
	if err != nil || pages-there < checkpointPages {
		return false, err
	}
	_, _, err = c.checkpoint(ctx, "PASSIVE")
	return err == nil, err
}

// checkpoint returns how many pages the log has, and how many of them the database has too.
func (c *checkpointer) checkpoint(ctx context.Context, mode string) (pages, there int, err error) {
	var busy int // the writer is at it
	err = c.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &pages, &there)
	return pages, there, classify(err)
}
