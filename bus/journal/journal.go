package journal

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"gorm.io/gorm"
)

//go:embed migrations
var migrations embed.FS

// Options of Open. Write and Read are on the same database.
type Options struct {
	// Write is the pool of the writer, which keeps one of its connections; on SQLite the pool has exactly one. Nobody else may use it. Required.
	Write *gorm.DB
	// Read is the pool for all reading outside of members. Required.
	Read   *gorm.DB
	Logger *slog.Logger     // Defaults to slog.Default().
	Now    func() time.Time // Defaults to time.Now.
	// MemberLimit is how long a member may take before it is rolled back. Over a fifth of it a member is named in the log. Defaults to 5 s.
	MemberLimit time.Duration
	// Classify wraps a driver's error in ErrBusy, ErrFull, ErrReadOnly, ErrCorrupt, ErrRetry, ErrUnavailable or ErrText where it means that,
	// and returns others as they are. What it wraps in driver.ErrBadConn is the end of a connection.
	// Defaults to leaving all as they are.
	Classify func(error) error
	// InTransaction reports whether the transaction on a driver's connection (what sql.Conn.Raw gives) can still be committed;
	// databases may end one by themselves.
	// Defaults to always.
	InTransaction func(driverConn any) bool
	// Notify sends a text to all servers on the database, and Listen calls heard with each that was sent, this server's own too, until ctx ends;
	// with "" when some may have been missed. They carry hints: what is lost or late is found by polling. Default to nothing: this is the only server.
	Notify func(ctx context.Context, text string) error
	Listen func(ctx context.Context, heard func(text string))
	// Lease is how long, by the database's clock, a durable name stays with a server that doesn't answer. It is extended every third of it.
	// Only on databases that several servers can share. Defaults to 5 s.
	Lease time.Duration
	// Retention says which events are removed, regularly, until Close. Defaults to none.
	Retention Retention
}

// Journal is the writer and the durable log of one database. It implements bus.Journal. All methods may be called concurrently.
type Journal struct {
	logger  *slog.Logger
	now     func() time.Time
	limit   time.Duration
	write   *gorm.DB
	read    *gorm.DB
	readSQL *sql.DB
	dialect string
	text    texts

	turns *turns
	watch watch

	// Of whoever has the turn:
	line      *line
	group     group
	groupTime time.Duration // after which a group is committed
	careful   int           // so many members more get a savepoint
	crowd     bool          // callers come close to one another
	asked     int           // groups since that was found out

	row []any // of the journal, that is being inserted

	tally      tally
	rides      rides
	attachment atomic.Pointer[bus.Attachment]

	instance string // tells this journal from those of other servers
	presence string // names this server in what it leaves open
	hints    *hints
	leases   *leases // nil: the database is this process's alone

	retention Retention // complete
	janitor   *janitor  // nil: nothing is ever removed

	closing sync.Mutex // of Close
}

// Open migrates the journal's tables and returns the journal. The databases stay the caller's, to be closed after the journal.
func Open(ctx context.Context, o Options) (*Journal, error) {
	if o.Write == nil || o.Read == nil {
		return nil, errors.New("journal: Options.Write and Options.Read are required")
	}
	retention, err := o.Retention.complete()
	if err != nil {
		return nil, err
	}
	j := &Journal{
		logger:  o.Logger,
		now:     o.Now,
		limit:   o.MemberLimit,
		write:   o.Write,
		read:    o.Read,
		dialect: o.Write.Name(),

		instance:  fmt.Sprintf("%016x", rand.Uint64()),
		retention: retention,
	}
	if j.logger == nil {
		j.logger = slog.Default()
	}
	if j.now == nil {
		j.now = time.Now
	}
	if j.limit <= 0 {
		j.limit = 5 * time.Second
	}
	j.presence = presencePrefix + j.serverName()
	j.groupTime = groupTime
	j.turns = newTurns(j.limit / 5)
	j.watch.limit, j.watch.logger = j.limit, j.logger
	if err := j.connect(o); err != nil {
		return nil, err
	}
	if err := j.Migrate(ctx, "journal", migrationFiles()); err != nil {
		return nil, err
	}
	j.startJanitor()
	j.hints.start()
	return j, nil
}

func (j *Journal) connect(o Options) error {
	begin, ok := map[string]string{"sqlite": "BEGIN IMMEDIATE", "postgres": "BEGIN ISOLATION LEVEL READ COMMITTED"}[j.dialect]
	if !ok {
		return fmt.Errorf("journal: database %q isn't supported (sqlite, postgres are)", j.dialect)
	}
	writeSQL, err := o.Write.DB()
	if err != nil {
		return fmt.Errorf("journal: write pool: %w", err)
	}
	if j.readSQL, err = o.Read.DB(); err != nil {
		return fmt.Errorf("journal: read pool: %w", err)
	}
	if o.Classify == nil {
		o.Classify = func(err error) error { return err }
	}
	if o.InTransaction == nil {
		o.InTransaction = func(any) bool { return true }
	}
	j.line = &line{db: writeSQL, begin: begin, lexer: lexers[j.dialect], aborts: j.dialect == "postgres", classify: o.Classify, standing: o.InTransaction}
	j.text = textsFor(j.dialect)
	j.hints = newHints(j, o)
	if j.dialect == "postgres" {
		if o.Lease <= 0 {
			o.Lease = 5 * time.Second
		}
		j.leases = newLeases(j, o.Lease)
	}
	return nil
}

// Close waits for the members that are there; new ones get ErrClosed. If ctx ends first they go on, and Close may be called again.
func (j *Journal) Close(ctx context.Context) error {
	if bus.InWriter(ctx, j) {
		return ErrInWriter
	}
	if err := j.janitor.stop(ctx); err != nil {
		return fmt.Errorf("journal: close: old events are still being removed: %w", err)
	}
	if err := j.turns.close(ctx); err != nil {
		return fmt.Errorf("journal: close: members are still at work: %w", err)
	}
	j.closing.Lock()
	defer j.closing.Unlock()
	j.leases.close(ctx)
	j.hints.close()
	j.watch.stop()
	j.line.close()
	return nil
}

// DB is for reading: committed rows, outside of members.
func (j *Journal) DB() *gorm.DB { return j.read }

// Attach binds a bus, which stamps and encodes what is appended and is woken after each commit.
func (j *Journal) Attach(a bus.Attachment) (detach func(), err error) {
	if a.Prepare == nil || a.Wake == nil {
		return nil, errors.New("journal: attach: Prepare and Wake are required")
	}
	a.Committed = j.hints.after(a)
	if !j.attachment.CompareAndSwap(nil, &a) {
		return nil, bus.ErrAttached
	}
	return func() { j.attachment.CompareAndSwap(&a, nil) }, nil
}

var _ bus.Journal = (*Journal)(nil)
