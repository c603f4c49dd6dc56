package bridge

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// Mark is where a broker keeps a message that it has acknowledged.
type Mark struct {
	Stream  string
	Created time.Time // when the stream was made: one made anew under the same name is another
	Seq     uint64    // of the message, in the stream; a broker gives its numbers in the order in which it takes messages
	ID      string    // Message.ID
}

// Checkpointer is a Sink whose broker may forget its newest messages though it has acknowledged them: it acknowledges before it has them on its disk, or its operator
// restores a copy. The bridge stores once a second how far it was and the newest mark, and when the broker comes back and doesn't hold it any more, goes back in
// the journal to where it does. It needs a bus whose journal is in a database.
type Checkpointer interface {
	// Mark returns the mark with the highest Seq of all messages that were acknowledged since Open; ok is false if none was.
	// What Send has returned nil for is covered. A mark that Holds has denied doesn't come again.
	Mark() (newest Mark, ok bool)
	// Holds reports whether the broker still has what m says, or has removed it as it was told to: by its limits, or because somebody has purged or deleted it.
	// It is called by what was given to OnConnect.
	Holds(ctx context.Context, m Mark) (bool, error)
	// OnConnect is called before Open. The sink calls check each time when it has found its broker, and sends nothing until that returned nil;
	// after an error it calls it again, after a pause. ctx ends when the broker goes away again, or the sink is closed.
	OnConnect(check func(ctx context.Context) error)
}

//go:embed migrations/*.sql
var migrations embed.FS

// component is the name of the tables' versions, which all bridges of a database share.
const component = "bridge"

// checkpoint says: all events up to seq that the bridge sends are in the stream, none of them behind mark. The zero mark is before the first message.
type checkpoint struct {
	seq  uint64
	mark Mark
	at   time.Time
}

// checkpoints are a bridge's, in the journal's database.
type checkpoints struct {
	journal *journal.Journal
	bridge  string
}

func (c *checkpoints) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err // never: the folder is embedded
	}
	return c.journal.Migrate(ctx, component, files)
}

// all returns them, the newest first.
func (c *checkpoints) all(ctx context.Context) ([]checkpoint, error) {
	rows, err := c.journal.DB().WithContext(ctx).Raw(
		"SELECT seq, stream, created_at, stream_seq, message_id, at FROM bridge_checkpoints WHERE bridge = ? ORDER BY seq DESC", c.bridge).Rows()
	if err != nil {
		return nil, fmt.Errorf("bridge: checkpoints of %s: %w", c.bridge, err)
	}
	defer func() { _ = rows.Close() }()
	var all []checkpoint
	for rows.Next() {
		var p checkpoint
		var created, at int64
		if err := rows.Scan(&p.seq, &p.mark.Stream, &created, &p.mark.Seq, &p.mark.ID, &at); err != nil {
			return nil, fmt.Errorf("bridge: checkpoints of %s: %w", c.bridge, err)
		}
		p.mark.Created, p.at = journal.TimeOf(created), journal.TimeOf(at)
		all = append(all, p)
	}
	return all, rows.Err()
}

// store adds p, and removes what is older than the horizon before it, but for the newest of those: the horizon begins there.
// turn is that in which the bridge got there (journal.Tenure): if another server has begun one since, nothing is stored, and the error is bus.ErrLeaseLost.
func (c *checkpoints) store(ctx context.Context, p checkpoint, turn int64, horizon time.Duration) error {
	created, err := journal.Nanoseconds(p.mark.Created)
	if err != nil {
		return fmt.Errorf("bridge: checkpoint of %s: the stream's creation: %w", c.bridge, err)
	}
	at, old := p.at.UnixNano(), p.at.Add(-horizon).UnixNano()
	return c.write(ctx, func(tx *journal.Tx) error {
		if err := tx.InTenure(c.bridge, turn); err != nil {
			return err
		}
		err := tx.DB().Exec("INSERT INTO bridge_checkpoints (bridge, seq, stream, created_at, stream_seq, message_id, at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			c.bridge, p.seq, p.mark.Stream, created, p.mark.Seq, p.mark.ID, at).Error
		if err != nil {
			return err
		}
		return tx.DB().Exec("DELETE FROM bridge_checkpoints WHERE bridge = ? AND seq < (SELECT MAX(seq) FROM bridge_checkpoints WHERE bridge = ? AND at <= ?)",
			c.bridge, c.bridge, old).Error
	})
}

// forgetAfter makes p the newest.
func (c *checkpoints) forgetAfter(ctx context.Context, p checkpoint) error {
	return c.write(ctx, func(tx *journal.Tx) error {
		if err := tx.DB().Exec("DELETE FROM bridge_checkpoints WHERE bridge = ? AND seq > ?", c.bridge, p.seq).Error; err != nil {
			return err
		}
		if p.mark != (Mark{}) {
			return nil
		}
		return tx.DB().Exec("UPDATE bridge_checkpoints SET stream = '', created_at = 0, stream_seq = 0, message_id = '' WHERE bridge = ? AND seq = ?", c.bridge, p.seq).Error
	})
}

// clear removes them all, unless another server has just begun with the bridge.
func (c *checkpoints) clear(ctx context.Context) error {
	return c.write(ctx, func(tx *journal.Tx) error {
		return tx.DB().Exec("DELETE FROM bridge_checkpoints WHERE bridge = ? AND NOT EXISTS (SELECT 1 FROM journal_cursor WHERE name = ?)", c.bridge, c.bridge).Error
	})
}

// oldest is where the horizon begins; known is false if there is no checkpoint.
func (c *checkpoints) oldest(ctx context.Context) (seq uint64, known bool, err error) {
	var first sql.NullInt64
	if err := c.journal.DB().WithContext(ctx).Raw("SELECT MIN(seq) FROM bridge_checkpoints WHERE bridge = ?", c.bridge).Row().Scan(&first); err != nil {
		return 0, false, fmt.Errorf("bridge: checkpoints of %s: %w", c.bridge, err)
	}
	return uint64(first.Int64), first.Valid, nil
}

func (c *checkpoints) write(ctx context.Context, fn func(*journal.Tx) error) error {
	if err := c.journal.Do(ctx, fn, journal.Background(), journal.Named("checkpoint of "+c.bridge)); err != nil {
		return fmt.Errorf("bridge: checkpoint of %s: %w", c.bridge, err)
	}
	return nil
}

// cursor is how far the bridge is; known is false before its first start. (Journal.Cursor would have the bus write it again.)
func (c *checkpoints) cursor(ctx context.Context) (seq uint64, known bool, err error) {
	all, err := c.journal.Cursors(ctx)
	if err != nil {
		return 0, false, fmt.Errorf("bridge: cursor of %s: %w", c.bridge, err)
	}
	for _, cursor := range all {
		if cursor.Name == c.bridge {
			return cursor.Seq, true, nil
		}
	}
	return 0, false, nil
}
