package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	firstPause   = 50 * time.Millisecond
	longestPause = 5 * time.Second
	closeTime    = time.Second
)

// channel carries hints among the servers on one schema, by NOTIFY, which belongs to a whole database.
type channel struct {
	name   string
	config *pgx.ConnConfig
	read   *sql.DB
	logger *slog.Logger
}

func newChannel(config *pgx.ConnConfig, read *sql.DB, schema string, logger *slog.Logger) *channel {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(schema))
	return &channel{name: fmt.Sprintf("cloudbus_%016x", sum.Sum64()), config: config, read: read, logger: logger}
}

// notify is journal.Options.Notify. It is called after the commit that it tells of: in that transaction NOTIFY would put all commits
// of the database that have one in a row.
func (c *channel) notify(ctx context.Context, text string) error {
	_, err := c.read.ExecContext(ctx, "SELECT pg_notify($1, $2)", c.name, text)
	return classify(err)
}

// listen is journal.Options.Listen: on a connection of its own, which it opens again for as long as it takes.
func (c *channel) listen(ctx context.Context, heard func(string)) {
	pause := firstPause
	for ctx.Err() == nil {
		began := time.Now()
		err := c.session(ctx, heard)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > longestPause {
			pause = firstPause // it had worked
		}
		c.logger.Warn("postgres: other servers' news come by polling until the database can be listened to again", "error", classify(err), "pause", pause)
		select {
		case <-time.After(pause + rand.N(pause)): // so that not all servers come at once
		case <-ctx.Done():
		}
		pause = min(2*pause, longestPause)
	}
}

// session listens until something breaks.
func (c *channel) session(ctx context.Context, heard func(string)) error {
	conn, err := pgx.ConnectConfig(ctx, c.config)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+c.name); err != nil {
		return err
	}
	heard("") // of what was sent before
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		heard(n.Payload)
	}
}
