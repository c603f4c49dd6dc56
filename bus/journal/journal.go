package journal

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"gorm.io/gorm"
)

// Options of Open. Write and Read are on the same database; Write's pool has exactly one connection on SQLite and is used by the writer alone from then on.
type Options struct {
	Write  *gorm.DB         // Required.
	Read   *gorm.DB         // Required.
	Logger *slog.Logger     // Defaults to slog.Default().
	Now    func() time.Time // Defaults to time.Now.
}

// Journal is the writer and the durable log of one database. It implements bus.Journal.
type Journal struct{}

func Open(ctx context.Context, o Options) (*Journal, error) { panic("unwritten") }
func (j *Journal) Close(ctx context.Context) error          { panic("unwritten") } // waits for members; not the databases
func (j *Journal) Do(ctx context.Context, fn func(*Tx) error, opts ...MemberOption) error {
	panic("unwritten")
}
func (j *Journal) DB() *gorm.DB { panic("unwritten") } // reading
// Migrate applies the migrations of a component (goose's SQL files) that aren't applied yet; each component has its own version table.
func (j *Journal) Migrate(ctx context.Context, component string, files fs.FS) error {
	panic("unwritten")
}
func (j *Journal) Cursors(ctx context.Context) ([]Cursor, error)             { panic("unwritten") }
func (j *Journal) Rewind(ctx context.Context, name string, seq uint64) error { panic("unwritten") } // not while it runs
func (j *Journal) Query(ctx context.Context, q Query) ([]bus.Record, error)  { panic("unwritten") }

type MemberOption func(*member)
type member struct{}

// Background: waiting members go first; at least every fourth place is a background one's.
func Background() MemberOption { panic("unwritten") }

// Tx is a member's view of the transaction, valid until the member returns.
type Tx struct{}

func (t *Tx) Context() context.Context                                  { panic("unwritten") }
func (t *Tx) DB() *gorm.DB                                              { panic("unwritten") }
func (t *Tx) Append(p bus.Payload, stamps ...bus.Stamp) (bus.ID, error) { panic("unwritten") }

type Cursor struct {
	Name      string
	Seq       uint64
	UpdatedAt time.Time
}

// Query selects records; zero fields don't filter.
type Query struct {
	Type          string // pattern, as bus.Type
	Kind          string
	ResourceID    string
	Tenant        string
	Actor         string
	CorrelationID string
	Since, Until  time.Time // of Time
	After, Before uint64    // keyset, exclusive
	Newest        bool      // newest first
	Limit         int       // Defaults to 100; at most 1,000
}

var (
	ErrOutcomeUnknown = errors.New("journal: the caller stopped waiting; the outcome is unknown")
	ErrBusy           = errors.New("journal: database is locked")
	ErrFull           = errors.New("journal: database or disk is full")
	ErrReadOnly       = errors.New("journal: database is read-only")
	ErrClosed         = errors.New("journal: closed")
	ErrInWriter       = bus.ErrInWriter
)

// Subscribe: exactly once. The handler's writes through tx and the cursor commit together. The bus's journal must be a *Journal.
func Subscribe[T any](c *bus.Client, name string, fn func(ctx context.Context, tx *Tx, batch []bus.Event[T]) error, opts ...bus.Option) (*bus.Subscription, error) {
	panic("unwritten")
}
